const express = require('express');

const app = express();
const port = process.env.PORT || 3000;

app.use(express.static('public'));
app.set('trust proxy', 1);

app.get('/hello', (req, res) => {
  res.json({ hello: process.env.GREETING || 'World', ip: req.ip, host: req.hostname });
});

const server = app.listen(port, () => {
  console.log(`Example app listening on port ${port}`);
});

process.on('SIGTERM', () => server.close());

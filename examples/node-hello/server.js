const http = require('http');
const ms = require('ms');
const { built } = require('./built.json');

http
  .createServer((request, response) => {
    response.end(`Hello from Node.js ${process.version}: an hour is ${ms('1h')} ms, built: ${built}\n`);
  })
  .listen(process.env.PORT, '127.0.0.1');

from flask import Flask, jsonify, request

from tasks import DATA, huey, resize

app = Flask(__name__)


@app.post("/")
def add():
    names = request.form.getlist("name")
    for name in names:
        resize(name)
    return jsonify(queued=len(names)), 202


@app.get("/")
def status():
    file = DATA / "done.txt"
    done = file.read_text().splitlines() if file.exists() else []
    return jsonify(waiting=huey.pending_count(), done=done)

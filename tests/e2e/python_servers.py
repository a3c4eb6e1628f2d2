"""One app with all of Python's application servers, and how each is started.

The config var SERVE says which one runs, so that one build is enough.
"""

SERVERS = {
    "gunicorn": "gunicorn app:app",
    "gunicorn-threads": "gunicorn --threads 8 app:app",
    "gunicorn-uvicorn": "gunicorn -k uvicorn_worker.UvicornWorker asgi:app",
    "uvicorn": "uvicorn asgi:app --port $PORT",
    "granian": "granian --interface wsgi --host 127.0.0.1 --port $PORT --workers 2 app:app",
    "granian-asgi": "granian --interface asgi --host 127.0.0.1 --port $PORT asgi:app",
    "hypercorn": "hypercorn --bind 127.0.0.1:$PORT --workers 2 asgi:app",
    "hypercorn-wsgi": "hypercorn --bind 127.0.0.1:$PORT app:app",
    "daphne": "daphne -b 127.0.0.1 -p $PORT asgi:app",
    "waitress": "waitress-serve --listen=127.0.0.1:$PORT app:app",
}
# Gunicorn's own workers leave the visitor's address to the app (Werkzeug's ProxyFix).
WITHOUT_ADDRESS = {"gunicorn", "gunicorn-threads"}
FILES: dict[str, str | bytes] = {
    "requirements.txt": "flask\ngunicorn\nuvicorn\nuvicorn-worker\ngranian\nhypercorn\ndaphne\n"
    "waitress\nasgiref\n",
    "Procfile": 'web: eval "exec $SERVE"\n',
    "app.py": """from flask import Flask, Response, request, url_for

app = Flask(__name__)


@app.get("/")
def told():
    return {"url": url_for("told", _external=True), "client": request.remote_addr}


@app.post("/login-first")
def login_first():
    return "log in first", 401


@app.post("/undeclared")
def undeclared():
    return Response(iter([b"log in first"]), 401)
""",
    # WsgiToAsgi reads the whole body first.
    "asgi.py": """from asgiref.wsgi import WsgiToAsgi
from app import app as flask_app

flask_app = WsgiToAsgi(flask_app)


async def app(scope, receive, send):
    if scope.get("path") not in ("/login-first", "/undeclared"):
        return await flask_app(scope, receive, send)
    headers = [(b"content-length", b"12")] if scope["path"] == "/login-first" else []
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"log in first"})
""",
    # The app's own Gunicorn configuration file still applies.
    "gunicorn.conf.py": "workers = 2\n\n\ndef post_request(worker, req):\n"
    '    print("own hook", req.path)\n',
}

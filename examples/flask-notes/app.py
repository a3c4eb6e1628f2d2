from flask import Flask, redirect, render_template, request, url_for
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
# A relative path is relative to the instance folder, /app/instance on the server.
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///notes.db"

db = SQLAlchemy(app)
migrate = Migrate(app, db)


class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(200), nullable=False)


@app.get("/")
def index():
    notes = db.session.execute(db.select(Note).order_by(Note.id)).scalars()
    return render_template("index.html", notes=notes)


@app.post("/")
def add():
    db.session.add(Note(text=request.form["text"]))
    db.session.commit()
    return redirect(url_for("index"))

import os

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def index() -> dict[str, str]:
    return {"message": f"{os.environ.get('GREETING', 'Hello')} from FastAPI!"}

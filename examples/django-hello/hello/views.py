import os

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def index(request: HttpRequest) -> HttpResponse:
    return render(request, "hello/index.html", {"greeting": os.environ.get("GREETING", "Hello")})

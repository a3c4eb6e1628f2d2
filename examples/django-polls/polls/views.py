from django.db.models import F
from django.shortcuts import get_object_or_404, redirect, render

from .models import Choice, Question


def index(request):
    return render(request, "polls/index.html", {"questions": Question.objects.all()})


def vote(request, question_id):
    choice = get_object_or_404(Choice, pk=request.POST.get("choice"), question=question_id)
    choice.votes = F("votes") + 1
    choice.save()
    return redirect("index")

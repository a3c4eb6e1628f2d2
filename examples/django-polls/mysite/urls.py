from django.contrib import admin
from django.urls import path

from polls import views

urlpatterns = [
    path("", views.index, name="index"),
    path("<int:question_id>/vote/", views.vote, name="vote"),
    path("admin/", admin.site.urls),
]

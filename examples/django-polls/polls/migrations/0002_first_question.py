from django.db import migrations


def add_first_question(apps, schema_editor):
    question = apps.get_model("polls", "Question").objects.create(question_text="What's new?")
    for text in ("Not much", "The sky"):
        question.choice_set.create(choice_text=text)


class Migration(migrations.Migration):

    dependencies = [
        ('polls', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(add_first_question, migrations.RunPython.noop),
    ]

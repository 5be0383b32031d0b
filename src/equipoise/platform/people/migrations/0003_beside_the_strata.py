"""What a draw looks at in each person beside the stratum: the levels of a minimisation, say."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0002_lists_of_many")]

    operations = [
        migrations.AddField("Committed", "beside", models.JSONField(default=list)),
        migrations.AddField("Allocation", "beside", models.JSONField(default=list)),
    ]

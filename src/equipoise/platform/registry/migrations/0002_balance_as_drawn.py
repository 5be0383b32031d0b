"""How alike the arms were is kept from when a stage is drawn."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]

    operations = [migrations.AddField("Stage", "balance", models.JSONField(null=True))]

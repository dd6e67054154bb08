from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imputation", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="referencepanel",
            name="withdrawn_at",
            field=models.DateTimeField(
                editable=False,
                help_text="The site's list no longer has it since then; empty while it is offered or the site keeps no list.",
                null=True,
                verbose_name="withdrawn since",
            ),
        )
    ]

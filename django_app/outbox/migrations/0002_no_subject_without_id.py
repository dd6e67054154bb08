from typing import Any

from django.db import migrations


def drop_nameless(apps: Any, _schema_editor: Any) -> None:
    """Sites made in a form left the subject of a site without an id behind: nothing was ever told of it."""
    apps.get_model("outbox", "Subject").objects.filter(name="site/None").delete()


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_initial")]

    operations = [migrations.RunPython(drop_nameless, migrations.RunPython.noop, elidable=True)]

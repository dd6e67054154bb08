from imputehub.cli import app

app()

"""Python that a test runs as a process of its own, to be killed in it at the worst moment."""

KILLED_AFTER_COMMIT = """
import os, signal, sys
from django_app.outbox import recording
recording.app.send_task = lambda *_a, **_k: os.kill(os.getpid(), signal.SIGKILL)  # where the relay would be kicked
from tests.django_app.catalogue import add_site
add_site(name=sys.argv[1])
"""


KILLED_AFTER_ANSWER = """
import os, signal
from django_app.outbox import relay
from django_app.outbox.tasks import get_relay
relay.complete_delivery = lambda *_a: os.kill(os.getpid(), signal.SIGKILL)  # told, and not yet noted as told
get_relay().deliver_due()
"""


RELAY_FOR_EVER = """
import time
from django_app.outbox.tasks import get_relay
while True:
    get_relay().deliver_due()
    time.sleep(0.001)
"""


NOTE_EVERY_STATE = """
CREATE TABLE states (number bigserial, site uuid, name text);
CREATE FUNCTION note_state() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO states (site, name) VALUES (NEW.id, NEW.name); RETURN NEW; END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE OF name ON imputation_services FOR EACH ROW EXECUTE FUNCTION note_state();
"""

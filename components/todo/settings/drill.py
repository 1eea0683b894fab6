"""The settings of restore drills."""

from components.values.cron import CronSchedule
from components.values.postgres.backup import Drill
from components.values.value import Value


class DrillSettings(Value):
    """A scheduled proof that the newest backup can be restored."""

    schedule: CronSchedule = Drill.schedule

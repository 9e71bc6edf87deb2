"""Writes deploy/grafana."""

from tools.dashboards import DASHBOARDS, FOLDER, rendered

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in DASHBOARDS:
        (FOLDER / f"{name}.json").write_text(rendered(name))

"""Changes to the example `swing` that make it allocate otherwise."""


def rolling(folder, method="permuted-blocks"):
    """Make `swing` a study whose people come one by one."""
    path = folder / "protocol.yaml"
    text = path.read_text("utf-8").replace("participants:\n", "participants:\n  enrolment: rolling\n")
    text = text.replace("method: blocked", f"method: {method}").replace("when: launch\n", "when: enrolled\n")
    path.write_text(text, "utf-8")


def minimising(folder):
    """Make `swing` a study whose people come one by one and are minimised within their cohort."""
    rolling(folder, "minimised\n  balance: {region: 2, northern: 1}")
    path = folder / "protocol.yaml"
    text = path.read_text("utf-8").replace("strata: [cohort, region]", "strata: [cohort]")
    derived = "  derived:\n    northern: \"region == 'north'\"\n"
    path.write_text(text.replace("  consent:\n", f"{derived}  consent:\n", 1), "utf-8")


def at_launch(method):
    """Make `swing` a study whose roster is drawn within cohorts by another method."""

    def change(folder):
        path = folder / "protocol.yaml"
        text = path.read_text("utf-8").replace("strata: [cohort, region]", "strata: [cohort]")
        path.write_text(text.replace("method: blocked", f"method: {method}"), "utf-8")

    return change

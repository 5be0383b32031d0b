from equipoise.report import render_study, write_programme_report


def test_first_screen_and_parts(trial):
    page = render_study(*trial)
    assert "<h1>" in page


def test_write(trial, experiment, pilot, interviews, programme, tmp_path):
    write_programme_report(programme, {}, [trial, experiment, pilot, interviews], tmp_path)
    assert (tmp_path / "awards" / "index.html").exists()

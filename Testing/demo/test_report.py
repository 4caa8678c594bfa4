from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from pcl_core.demo.report import write_report
from pcl_core.demo.report_data import MethodResult, ReportData, view_case
from pcl_core.errors import InputError
from pcl_core.evaluation.metrics import ClassMetrics
from pcl_core.evaluation.summary import Evaluation


def evaluation(dice, names=None):
    cases = {f"heart_{k}": {1: ClassMetrics(dice + k / 10, 4.0, 1.0), 2: ClassMetrics(dice, 6.0, 2.0)} for k in range(2)}
    return Evaluation(cases, (1, 2), {1: dice, 2: dice}, names or {1: "ventricle", 2: "muscle"})


def stack():
    truth = np.zeros((9, 40, 30), np.uint8)
    truth[2:8, 15:25, 10:20] = 1
    truth[2:8, 18:22, 13:17] = 2
    return np.random.default_rng(0).normal(100, 20, truth.shape), truth


@pytest.fixture
def data():
    image, truth = stack()
    rows = [{"step": float(k), "loss": 4 - k / 10} for k in range(0, 20, 2)]
    return ReportData(
        data="4 generated hearts",
        pretraining_volumes=24,
        pretraining_slices=1290,
        labelled=1,
        unseen=2,
        finetuning_steps=300,
        methods=(
            MethodResult("with pretraining", evaluation(0.8), rows),
            MethodResult("without pretraining", evaluation(0.6), rows),
        ),
        pretraining=rows,
        collapse_loss=math.log(63),
        seconds={"pretrain": 61.25, "segment": 3.5},
        cases=(view_case("heart_1", image, truth, (truth, np.zeros_like(truth)), (2.0, 2.0)),),
        device="2 CPU cores",
    )


class Tags(HTMLParser):
    """Makes sure that every tag is closed in turn."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def written(tmp_path, data):
    write_report(tmp_path / "report.html", data)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def parsed(text):
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    return tags


def test_the_report_is_one_file_that_needs_no_net_and_no_script(tmp_path, data):
    tags = parsed(written(tmp_path, data))
    assert {tag for tag, _ in tags.seen}.isdisjoint({"script", "link", "iframe"})
    sources = [attributes["src"] for _, attributes in tags.seen if "src" in attributes]
    assert len(sources) == 3
    assert all(source.startswith("data:image/png;base64,iVBOR") for source in sources)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_summary_says_in_words_what_was_done_and_what_came_of_it(tmp_path, data):
    text = " ".join(parsed(written(tmp_path, data)).text)
    assert "24 volumes without labels (1,290 slices)" in text
    assert "1 labelled volume," in text
    assert "Mean Dice: 0.825 with pretraining, 0.625 without pretraining. Pretraining raised it by 0.200." in text


@pytest.mark.parametrize(
    ("without", "words"), [(0.9, "lowered it by 0.100"), (0.801, "made no difference"), (math.nan, "- without")]
)
def test_the_verdict_follows_the_figures(tmp_path, data, without, words):
    methods = (data.methods[0], MethodResult("without pretraining", evaluation(without), data.methods[1].history))
    text = written(tmp_path, replace(data, methods=methods))
    assert words in text
    assert "raised" not in text


def test_the_table_has_mean_and_deviation_a_method_and_class_and_the_pooled_dice(tmp_path, data):
    text = written(tmp_path, data)
    row = re.search(r"<tr><td>with pretraining</td>(.*?)</tr>", text).group(1)
    cells = re.findall(r"<td>(.*?)</td>", row)
    deviation = np.std([0.8, 0.9], ddof=1)
    assert cells == [f"0.850 ± {deviation:.3f}", "0.800 ± 0.000", "0.825", "0.800", "5.0", "1.5"]


def test_times_of_the_stages_and_their_sum_are_listed(tmp_path, data):
    text = written(tmp_path, data)
    assert "<tr><td>pretrain</td><td>61.2</td></tr>" in text
    assert "<tr><td>all</td><td>64.8</td></tr>" in text


def test_names_from_files_cannot_inject_markup(tmp_path, data):
    nasty = '<script>alert("x")</script>'
    image, truth = stack()
    named = replace(
        data,
        data=nasty,
        device=nasty,
        notes=(nasty,),
        seconds={nasty: 1.0},
        methods=(MethodResult(nasty, evaluation(0.5, {1: nasty, 2: nasty}), data.pretraining),),
        cases=(view_case(nasty, image, truth, (truth,), (1.0, 1.0)),),
    )
    text = written(tmp_path, named)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 8
    parsed(text)


def test_a_report_without_a_known_collapse_level_can_be_written(tmp_path, data):
    assert "Pretraining" in written(tmp_path, replace(data, collapse_loss=None))


def test_a_report_that_cannot_be_written_is_an_input_error(tmp_path, data):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(InputError, match=r"report\.html"):
        write_report(tmp_path / "report.html", data)


def test_a_case_is_shown_from_base_to_apex_within_the_labelled_part():
    image, truth = stack()
    view = view_case("heart", image, truth, (truth,), (2.0, 2.0), margin_mm=10.0)
    assert [part.title for part in view.slices] == ["base\nslice 7 of 9", "middle\nslice 5 of 9", "apex\nslice 4 of 9"]
    assert all(part.image.shape == part.truth.shape == part.predictions[0].shape for part in view.slices)
    part = view.slices[0]
    assert np.array_equal(part.image, image[6, 10:30, 5:25])
    assert np.array_equal(part.truth, truth[6, 10:30, 5:25])


def test_the_cut_of_a_case_follows_each_axis_own_spacing_and_ends_at_the_border():
    image, truth = stack()
    view = view_case("heart", image, truth, (), (1.0, 5.0), margin_mm=20.0)
    assert view.slices[0].image.shape == (40, 18)


def test_a_case_without_labels_or_with_a_single_slice_is_shown_whole():
    image, truth = stack()
    assert view_case("x", image, np.zeros_like(truth), (), (1.0, 1.0)).slices[0].image.shape == (40, 30)
    assert len(view_case("x", image[3:4], truth[3:4], (), (1.0, 1.0)).slices) == 1

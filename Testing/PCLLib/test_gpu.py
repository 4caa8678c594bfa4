import stat

import pytest

SUMMARY = {
    "used": "cpu",
    "reason": "No GPU can be used: this build of PyTorch has no CUDA. The processor does the work.",
    "torch": "2.13.0",
    "devices": [{"device": "cpu", "name": "cpu (2 threads)", "memory_bytes": 2**33}],
}
WITH_GPU = {
    **SUMMARY,
    "used": "cuda",
    "devices": [*SUMMARY["devices"], {"device": "cuda:0", "name": "NVIDIA RTX 4000", "memory_bytes": 20 * 2**30}],
}


def said(summary, cards="", chosen="auto", torch=True):
    from PCLLib import gpu

    report = gpu.DeviceReport.from_summary(summary) if summary else None
    return gpu.sentence(report, gpu.cards_in(cards), chosen, torch)


def test_a_card_that_is_used_is_named_with_its_memory():
    assert said(WITH_GPU) == "Graphics card: NVIDIA RTX 4000, 20 GB. It will be used."


def test_a_card_that_pytorch_cannot_use_is_named_with_the_reason():
    text = said(SUMMARY, cards="NVIDIA GeForce GTX 1060, 6144\n")
    assert text.startswith("Graphics card: NVIDIA GeForce GTX 1060, 6.0 GB. No GPU can be used: this build")


def test_without_a_card_the_reason_is_told():
    assert said(SUMMARY) == SUMMARY["reason"]


def test_a_card_that_was_not_chosen_says_so():
    assert "not used, because the processor is chosen" in said(WITH_GPU, chosen="cpu")


@pytest.mark.parametrize(("cards", "words"), [("", "not known before"), ("NVIDIA A, 1024", "NVIDIA A, 1.0 GB. Whether")])
def test_before_pytorch_is_there_it_is_said_that_nobody_knows(cards, words):
    assert words in said(None, cards, torch=False)


def test_while_it_is_asked_for_it_says_so():
    assert "being looked for" in said(None)


def test_the_driver_is_asked_in_the_background(bench, tmp_path):
    from PCLLib.gpu import Driver

    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100, 81559'\necho 'NVIDIA T4, 15360'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    answers = []
    driver = Driver(str(program))
    driver.answered.connect(answers.append)
    driver.ask()
    assert answers == []
    bench.wait_until(lambda: answers)
    assert [(card.name, card.memory_bytes // 2**20) for card in answers[0]] == [("NVIDIA H100", 81559), ("NVIDIA T4", 15360)]


def test_without_a_driver_nothing_happens(bench, tmp_path):
    from PCLLib.gpu import Driver

    answers = []
    driver = Driver(str(tmp_path / "missing"))
    driver.answered.connect(answers.append)
    driver.ask()
    bench.host.process_events()
    assert answers == []

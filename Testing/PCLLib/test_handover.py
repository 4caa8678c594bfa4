import pytest


@pytest.fixture
def node(bench):
    import slicer

    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")


def test_an_offered_encoder_is_found_in_the_scene(node, tmp_path):
    import slicer

    from PCLLib.handover import offer_encoder, offered_encoder

    assert offered_encoder(slicer.mrmlScene) is None
    encoder = tmp_path / "encoder.safetensors"
    offer_encoder(node, encoder)
    assert offered_encoder(slicer.mrmlScene) is None, "its file is not there"
    encoder.write_bytes(b"")
    assert offered_encoder(slicer.mrmlScene) == encoder

from infinitic_common.command_ids import command_id


def test_a_command_has_the_same_id_each_time() -> None:
    assert command_id("w", "m", 3) == command_id("w", "m", 3)


def test_each_position_of_each_run_has_its_own_id() -> None:
    ids = {command_id(w, m, p) for w in ("w", "x") for m in ("m", "n") for p in range(3)}

    assert len(ids) == 12

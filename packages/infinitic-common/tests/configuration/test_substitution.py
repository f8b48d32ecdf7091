import pytest

from infinitic_common.configuration import (
    ConfigurationError,
    PostgresConfiguration,
    load_configuration,
    string_source,
)


def postgres(
    password: str, port: str = "1", environ: dict[str, str] | None = None
) -> PostgresConfiguration:
    text = f"host: db-${{STAGE}}\nport: {port}\nusername: me\npassword: {password}\n"
    environ = {"STAGE": "dev", **(environ or {})}
    return load_configuration(PostgresConfiguration, string_source(text), environ=environ)


def test_a_variable_is_replaced_inside_a_text() -> None:
    assert postgres("x").host == "db-dev"


@pytest.mark.parametrize(
    ("written", "environ", "password"),
    [
        ("${P}", {"P": "secret"}, "secret"),
        ("${P}", {"P": "0123"}, "0123"),
        ("${P}", {"P": "true"}, "true"),
        ("${P}", {"P": "a: b # c"}, "a: b # c"),
        ("${P}", {"P": "${STAGE} {{port}}"}, "${STAGE} {{port}}"),
        ("'${P}-${STAGE}'", {"P": "a"}, "a-dev"),
        ("${P:-fallback}", {}, "fallback"),
        ("${P:-fallback}", {"P": ""}, "fallback"),
        ("${P:-fallback}", {"P": "set"}, "set"),
        ("${P:-}", {}, None),
        ("'${P:-}'", {}, ""),
        ("${P:-${Q}}", {"Q": "other"}, "other"),
        ("${P:-a${Q:-b${R:-c}}d}e", {}, "abcde"),
        ("${P:-${Q}}", {"P": "set"}, "set"),
        ("${P:-${Q:-}}", {}, None),
        ("'${P:-{{port}}}'", {}, "1"),
        ("${P:-$${Q}}", {}, "${Q}"),
        ("${P:-${Q}}", {"Q": "${P}"}, "${P}"),
        ("${P:-a{b}", {}, "a{b"),
        ("${P}", {"P": ""}, None),
        ("$${P}", {}, "${P}"),
        ("a$b{c}", {}, "a$b{c}"),
        ("'{{port}}{{ user-name }}'", {}, "1me"),
        ("null", {}, None),
        ("~", {}, None),
        ("'null'", {}, "null"),
        ("12", {}, "12"),
        ("1.50", {}, "1.50"),
    ],
)
def test_references_are_filled_in(
    written: str, environ: dict[str, str], password: str | None
) -> None:
    assert postgres(written, environ=environ).password == password


@pytest.mark.parametrize("written", ["${PORT}", "'${PORT}'", "${X:-5432}", "'{{password}}'"])
def test_what_is_filled_in_can_be_a_number(written: str) -> None:
    assert postgres("5432", port=written, environ={"PORT": "5432"}).port == 5432


def test_a_variable_that_is_not_set_is_named_with_the_path_and_the_remedy() -> None:
    with pytest.raises(ConfigurationError) as caught:
        postgres("${PG_PASSWORD}")
    assert str(caught.value) == (
        "password (text:4): the environment variable 'PG_PASSWORD' is not set; "
        "set it, or give a default: ${PG_PASSWORD:-default}"
    )


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("'{{nowhere}}'", "{{nowhere}} leads to no single value"),
        ("'{{}}'", "leads to no single value"),
        ("'{{password}}'", "{{password}} leads back to itself"),
        ("'${UNSET:-{{password}}}'", "{{password}} leads back to itself"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(written: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        postgres(written)
    assert complaint in str(caught.value)


def test_a_number_in_quotes_is_text_and_the_remedy_says_so() -> None:
    with pytest.raises(ConfigurationError, match="must be an integer, is '1'; remove the quotes"):
        postgres("x", port="'1'")

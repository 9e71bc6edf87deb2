import jinja2
import pytest

from notifiers.sandbox import LONGEST_VALUE, TemplateRefused, check, environment, html_text, one_line, plain, slack_text

HOSTILE = {
    "the class of a value": "{{ name.__class__ }}",
    "the subclasses of object": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a method": "{{ name.upper() }}",
    "format strings": "{{ '{0.__class__}'.format(name) }}",
    "percent formatting": "{{ '%999999999d' % 1 }}",
    "multiplied text": "{{ 'a' * 1000000000 }}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "concatenation": "{{ name ~ name }}",
    "doubling with set": "{% set a = name %}{{ a }}",
    "a set block": "{% set a %}{{ name }}{{ name }}{% endset %}{{ a }}",
    "a macro": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a call block": "{% call f() %}x{% endcall %}",
    "range": "{% for x in range(1000000000) %}x{% endfor %}",
    "a recursive loop": "{% for x in name recursive %}{{ loop(x) }}{% endfor %}",
    "three loops": "{% for a in name %}{% for b in name %}{% for c in name %}x{% endfor %}{% endfor %}{% endfor %}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}",
    "from import": "{% from 'os' import system %}",
    "extends": "{% extends 'base' %}",
    "a block": "{% block a %}{% endblock %}",
    "subscripts": "{{ name['__class__'] }}",
    "attr filter": "{{ name|attr('__class__') }}",
    "a wide filter": "{{ name|center(1000000000) }}",
    "map filter": "{{ name|map(attribute='__class__')|join }}",
    "a filter block": "{% filter upper %}x{% endfilter %}",
    "safe filter": "{{ name|safe }}",
    "nesting": "{% if name %}" * 40 + "{% endif %}" * 40,
    "deep brackets": "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    "too long": "x" * 30_000,
    "globals": "{{ self }}{{ cycler('a') }}",
    "do": "{% do name.append(1) %}",
    "autoescape off": "{% autoescape false %}{{ name }}{% endautoescape %}",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_is_refused_before_it_runs(source: str) -> None:
    with pytest.raises(TemplateRefused):
        check(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("Hello {{ name }}", id="a field"),
        pytest.param("{% if tier == 'T1' and phone %}{{ phone }}{% else %}-{% endif %}", id="a condition"),
        pytest.param("{{ name|default('you')|title }}", id="filters"),
        pytest.param("{% for tag in tags %}{{ tag }} {% endfor %}", id="a loop"),
    ],
)
def test_what_people_need_is_allowed(source: str) -> None:
    check(source)


def test_a_refusal_names_the_line_and_what_is_allowed() -> None:
    with pytest.raises(TemplateRefused, match=r"line 2: unknown filter shout; there are capitalize, default"):
        check("Hello\n{{ name|shout }}")


def test_a_misspelt_field_is_named() -> None:
    with pytest.raises(jinja2.UndefinedError, match="nmae"):
        environment().from_string("{{ nmae }}").render({"name": "Cora"})


def test_a_field_that_looks_like_a_template_stays_text() -> None:
    shown = environment().from_string("{{ name }}").render({"name": "{{ 7 * 7 }}{% for x in y %}"})
    assert shown == "{{ 7 * 7 }}{% for x in y %}"


def test_what_cannot_be_seen_is_dropped_and_line_breaks_are_made_alike() -> None:
    assert plain("a\x00b\u202ec\u200bd\r\ne\u2028f\x85g\U000e0041") == "abcd\ne\nf\ng"


def test_joined_emoji_stay_whole() -> None:
    assert plain("👩\u200d👧") == "👩\u200d👧"


def test_a_long_value_ends_in_an_ellipsis() -> None:
    shown = plain("A" * 10_000)
    assert len(shown) == LONGEST_VALUE
    assert shown.endswith("…")


def test_one_line_has_no_line_break_of_any_kind() -> None:
    assert one_line("a\r\nb\rc\u2028d\te") == "a b c d e"


def test_html_is_shown_and_only_links_of_ours_can_be_clicked() -> None:
    shown = html_text("<b>\nhttps://a.example/?x=1&y=2 https://evil.example", ("https://a.example/?x=1&y=2",))
    assert shown == (
        '&lt;b&gt;<br>\n<a href="https://a.example/?x=1&amp;y=2">https://a.example/?x=1&amp;y=2</a> https://evil.example'
    )


def test_a_link_that_is_no_web_address_cannot_be_clicked() -> None:
    assert "href" not in html_text("javascript:alert(1)", ("javascript:alert(1)",))


def test_slack_mentions_and_formats_are_shown_as_text() -> None:
    shown = slack_text("<!channel> <@U1> @here *b* _i_ ~s~ `c` snake_case_name")
    assert "<" not in shown
    assert "@here" not in shown
    assert "`c`" not in shown
    assert "*b*" not in shown
    assert shown.endswith("snake_case_name")

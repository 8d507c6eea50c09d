"""The HTML page as its readers use it, in Chromium."""

from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

import layergraph as lg
from compiler.diagnostics.limits import UNLIMITED
from compiler.diagram.options import DiagramOptions
from compiler.page.html_page import page_of
from compiler.page.page_data import page_data
from tests.browser.conftest import Opened, Opener, chromium, saved


def box(one: Opened, path: str) -> str:
    return one.key(path)


def chosen(page: Page) -> str | None:
    return page.evaluate("view.selected")  # type: ignore[no-any-return]


def marked(page: Page) -> list[int]:
    """The first and the last line that are marked."""
    top, height = page.evaluate(
        "[parseFloat(mark.style.top), parseFloat(mark.style.height)]"
    )
    first = int((top - 8) / 19) + 1
    return [first, first + int(height / 19) - 1]


def click_line(page: Page, line: int) -> None:
    page.evaluate(f"lines.scrollTop = {19 * (line - 5)}")
    top, left = page.evaluate(
        "[sheet.getBoundingClientRect().top, sheet.getBoundingClientRect().left]"
    )
    page.mouse.click(left + 120, top + 8 + 19 * (line - 0.5))


def serious(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds that keeps some readers out, with the elements."""
    return [
        (one["id"], [node["html"][:120] for node in one["nodes"]])
        for one in Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def test_there_is_a_chromium() -> None:
    assert chromium(), (
        "tests/browser need Chromium: apt-get install chromium, or set CHROMIUM to the program"
    )


def test_nothing_leaves_the_page(opened: Opener, gpt2: str) -> None:
    one = opened(gpt2)
    one.page.click("#unfold")
    one.page.click("#fold")
    one.page.fill("#search", "attention")
    one.page.press("#search", "Enter")
    one.page.click("#theme")
    assert one.requests == [gpt2]


def test_folds_and_unfolds(opened: Opener, gpt2: str) -> None:
    one = opened(gpt2)
    page = one.page
    page.click("#fold")
    expect(page.locator(box(one, "0/h"))).to_have_attribute("aria-expanded", "false")
    expect(page.locator(box(one, "0/h/ln_1"))).to_have_count(0)
    before = page.locator(box(one, "0/h")).bounding_box()
    page.click(f"{box(one, '0/h')} .fold")
    expect(page.locator(box(one, "0/h"))).to_have_attribute("aria-expanded", "true")
    expect(page.locator(box(one, "0/h/ln_1"))).to_have_count(1)
    after = page.locator(box(one, "0/h")).bounding_box()
    assert before and after
    assert after["y"] == pytest.approx(before["y"], abs=1.5)  # it stays where it is
    page.dblclick(f"{box(one, '0/h/mlp')} > .shape")
    expect(page.locator(box(one, "0/h/mlp/gelu"))).to_have_count(1)
    page.click("#fold")
    page.click("#unfold")
    expect(page.locator(box(one, "0/h/attn/c_attn"))).to_have_count(1)


def test_says_that_blocks_stay_folded(opened: Opener, gpt2: str) -> None:
    page = opened(gpt2).page
    notice = page.locator("#notice")
    page.click("#unfold")
    expect(notice).to_be_hidden()
    page.evaluate("sayFolded(1200)")  # as `unfoldAll` does beyond 1,500 boxes
    expect(notice).to_have_text(
        "A picture holds 1,500 boxes: 1,200 more blocks stay folded."
    )
    page.click("#fold")
    expect(notice).to_be_hidden()


def test_finds_layers_by_name_op_and_block(opened: Opener, gpt2: str) -> None:
    page = opened(gpt2).page
    page.click("#fold")
    page.keyboard.press("/")
    page.keyboard.type("CausalSelf")
    expect(page.locator("#results li")).to_have_count(1)
    page.keyboard.press("Enter")
    assert chosen(page) == "0/h/attn"
    page.fill("#search", "gelu")
    page.press("#search", "Enter")
    assert chosen(page) == "0/h/mlp/gelu"
    page.fill("#search", "layer_norm")
    names = page.locator("#results b").all_inner_texts()
    assert names == ["ln_f", "ln_1", "ln_2"]
    page.press("#search", "ArrowDown")
    page.press("#search", "Enter")
    assert chosen(page) == "0/h/ln_1"
    page.fill("#search", "nowhere")
    expect(page.locator("#results")).to_contain_text("Nothing has this name")
    page.press("#search", "Escape")
    expect(page.locator("#results")).to_be_hidden()


def test_says_what_a_layer_is(opened: Opener, gpt2: str) -> None:
    one = opened(gpt2)
    card = one.page.locator("#details")
    expect(card).to_be_hidden()
    one.page.hover(f"{box(one, '0/h/attn/c_attn')} > .shape")
    expect(card).to_contain_text("h.attn.c_attn")
    for said in (
        "linear 768 → 2304",
        "float[B, T, 2304]",
        "1,771,776",
        "3 · D · D + 3 · D",
        "in each of 12 copies",
        "3,538,944 · B · T",
        "gpt2.yaml:64",
    ):
        expect(card).to_contain_text(said)
    one.page.focus(box(one, "0/drop"))
    expect(card).to_contain_text("dropout p 0.1")


def test_a_layer_can_link_to_its_line(opened: Opener, tmp_path: Path) -> None:
    prefix = "https://example.org/"
    address = saved(tmp_path / "net.html", "specs/gpt2.yaml", links=prefix)
    one = opened(address)
    one.page.click(f"{box(one, '0/drop')} > .shape")
    link = one.page.locator("#details a")
    expect(link).to_have_attribute("href", "https://example.org/specs/gpt2.yaml#L20")
    assert one.requests == [address]


def test_text_and_picture_lead_to_each_other(opened: Opener, gpt2: str) -> None:
    one = opened(gpt2)
    page = one.page
    page.click(f"{box(one, '0/h/attn/attention')} > .shape")
    assert marked(page) == [66, 71]
    page.click("#fold")
    click_line(page, 81)
    assert chosen(page) == "0/h/mlp/gelu"
    expect(page.locator(box(one, "0/h/mlp/gelu"))).to_be_visible()
    assert marked(page) == [81, 81]
    click_line(page, 21)
    assert chosen(page) == "0/h"
    page.keyboard.press("Escape")
    assert chosen(page) is None


def test_keys_do_all(opened: Opener, gpt2: str) -> None:
    one = opened(gpt2)
    page = one.page
    page.click("#fold")
    page.focus(box(one, "0/tokens<"))
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    assert chosen(page) == "0/h"
    page.keyboard.press("Enter")
    expect(page.locator(box(one, "0/h/attn"))).to_have_count(1)
    assert page.evaluate("document.activeElement.dataset.key") == "0/h"
    page.keyboard.press("ArrowDown")
    assert chosen(page) == "0/h/ln_1"
    page.keyboard.press("ArrowUp")
    assert chosen(page) == "0/h"
    page.keyboard.press("Enter")
    expect(page.locator(box(one, "0/h/attn"))).to_have_count(0)
    scale = page.evaluate("view.scale")
    page.keyboard.press("+")
    assert page.evaluate("view.scale") > scale
    page.keyboard.press("0")
    page.focus("#lines")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")


def test_zooms_and_pans(opened: Opener, gpt2: str) -> None:
    page = opened(gpt2).page
    page.mouse.move(300, 400)
    x, y, scale = page.evaluate("[view.x, view.y, view.scale]")
    page.mouse.wheel(0, 120)
    assert page.evaluate("view.y") == pytest.approx(y - 120)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    assert page.evaluate("view.scale") > scale
    page.click("#fit")
    x = page.evaluate("view.x")
    page.mouse.move(60, 500)
    page.mouse.down()
    page.mouse.move(100, 560, steps=4)
    page.mouse.up()
    assert page.evaluate("view.x") > x


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_light_or_dark_as_the_system(
    context: BrowserContext, opened: Opener, gpt2: str, scheme: str
) -> None:
    one = opened(gpt2)
    page = one.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper) != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    page.click("#theme")
    assert (page.evaluate(paper) != "rgb(255, 255, 255)") != dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 480])
def test_can_be_used_by_all(opened: Opener, gpt2: str, scheme: str, width: int) -> None:
    one = opened(gpt2)
    page = one.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    page.click("#show-text") if width < 700 and page.locator(
        "#text"
    ).is_hidden() else None
    page.click("#key summary")
    page.click(f"{box(one, '0/drop')} > .shape")
    page.fill("#search", "ln")
    assert serious(page) == []


def test_several_networks(opened: Opener, tmp_path: Path) -> None:
    one = opened(saved(tmp_path / "gan.html", "gan"))
    page = one.page
    expect(page.locator(box(one, "0"))).to_have_attribute("aria-expanded", "true")
    expect(page.locator(box(one, "1"))).to_have_attribute("aria-expanded", "true")
    page.click("#fold")
    expect(page.locator("#world .box")).to_have_count(2)
    page.fill("#search", "to_score")
    page.press("#search", "Enter")
    assert chosen(page) == "1/to_score"


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("spec", ["transformer", "elman", "gan", "googlenet"])
def test_boxes_lie_apart_and_in_their_frames(
    opened: Opener, tmp_path: Path, spec: str, direction: str
) -> None:
    page = opened(saved(tmp_path / "net.html", spec, direction=direction)).page
    page.click("#unfold")
    frames = page.evaluate(
        """[...drawn].filter(([, one]) => !one.node.port).map(([key, { node, x, y }]) =>
           ({ key, x, y, right: x + node.width, bottom: y + node.height, frame: node.open }))"""
    )
    around = {one["key"]: one for one in frames}
    for one in frames:
        outer = around.get(one["key"].rpartition("/")[0])
        if outer is not None:
            assert outer["x"] <= one["x"]
            assert one["right"] <= outer["right"]
            assert outer["y"] <= one["y"]
            assert one["bottom"] <= outer["bottom"]
        for other in frames:
            if other["key"] <= one["key"] or other["key"].startswith(one["key"] + "/"):
                continue
            assert (
                other["x"] >= one["right"]
                or other["right"] <= one["x"]
                or other["y"] >= one["bottom"]
                or other["bottom"] <= one["y"]
            ), (one, other)


@pytest.mark.parametrize("spec", ["tft", "pointer_generator", "mnasnet"])
def test_no_label_covers_a_box_or_another(
    opened: Opener, tmp_path: Path, spec: str
) -> None:
    page = opened(saved(tmp_path / "net.html", spec)).page
    page.evaluate("view.scale = 1; place()")
    covered = page.evaluate(
        """(() => {
          const rect = (element) => element.getBoundingClientRect();
          const labels = [...world.querySelectorAll("text.label")].map(rect);
          const boxes = [...drawn.values()].filter(({ node }) => !node.open && !node.port)
            .map(({ element }) => rect(element.querySelector(".shape")));
          const cover = (a, b) => a.left < b.right - 2 && b.left < a.right - 2
            && a.top < b.bottom - 3 && b.top < a.bottom - 3;
          return labels.filter((one, n) =>
            [...boxes, ...labels.slice(n + 1)].some((other) => cover(one, other))).length;
        })()"""
    )
    assert covered == 0


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_the_main_line_is_straight(
    opened: Opener, tmp_path: Path, direction: str
) -> None:
    page = opened(saved(tmp_path / "net.html", "gpt2", direction=direction)).page
    side = "x + node.width / 2" if direction == "TB" else "y + node.height / 2"
    middles = page.evaluate(
        f"[...drawn.values()].filter(({{ node }}) => node.box.kind === 'layer' && node.box.name !== 'wpe')"
        f".map(({{ node, x, y }}) => {side})"
    )
    assert len(middles) == 15
    assert max(middles) - min(middles) < 1.5


def test_a_link_leads_to_a_layer(opened: Opener, gpt2: str) -> None:
    one = opened(f"{gpt2}#0/h/mlp/c_fc")
    assert chosen(one.page) == "0/h/mlp/c_fc"
    for odd in ("#0/nothing", "#99", "#%E0", "#0/h/__proto__/x", "#-1"):
        assert chosen(opened(gpt2 + odd).page) is None


def test_hostile_text_is_text(opened: Opener, tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    attack = (
        "</script><script>document.title='broken'</script><img src=x onerror=alert(1)>"
    )
    spec.write_text(
        f"name: Net\ndescription: \"{attack}\"\ninputs: {{x: 'float[B, 8]'}}\n"
        f'layers:\n  fc: {{op: relu, description: "{attack}"}}\n# {attack}\n'
    )
    one = opened(saved(tmp_path / "net.html", spec))
    expect(one.page.locator("#subtitle")).to_contain_text(attack)
    one.page.click(f"{box(one, '0/fc')} > .shape")
    expect(one.page.locator("#details p")).to_have_text(attack)
    assert one.page.title() == "Net"
    assert one.page.locator("img").count() == 0


def test_a_faulty_spec_says_where(opened: Opener, tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(
        "name: Net\ninputs: {x: 'float[B, 8]', y: 'float[B, 9]'}\n"
        "layers:\n  sum: {op: add, in: [x, y]}\n"
    )
    one = opened(saved(tmp_path / "net.html", spec))
    expect(one.page.locator("#problems")).to_contain_text("net.yaml:4:22")
    expect(one.page.locator(".wrong")).to_have_count(1)
    expect(one.page.locator(f"{box(one, '0/sum')}.error")).to_have_count(1)
    assert serious(one.page) == []


def test_a_hundred_thousand_layers_open_in_a_second(
    opened: Opener, tmp_path: Path
) -> None:
    spec = tmp_path / "net.yaml"
    layers = ", ".join(["relu"] * 1000)
    spec.write_text(
        "name: Net\ninputs: {x: 'float[B, 8]'}\nlayers:\n"
        + "".join(f"  g{n}: {{layers: [relu, relu]}}\n" for n in range(100))
        + f"  all: {{layers: [{layers}]}}\n"
    )
    program = lg.compile(spec, limits=UNLIMITED)
    small = page_data(program.typed, DiagramOptions(depth=0), program.sources)
    network, *_, longest = small.shown["scopes"]  # type: ignore[misc, union-attr]
    scopes = [network, *([longest] * 101)]
    file = tmp_path / "net.html"
    file.write_text(page_of(replace(small, shown=small.shown | {"scopes": scopes})))
    page = opened(file.as_uri()).page
    count = "model.data.scopes.reduce((sum, scope) => sum + scope.boxes.length, 0)"
    assert page.evaluate(count) > 100_000
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    times = []
    for _ in range(2):
        page.reload()
        found = session.send("Performance.getMetrics")["metrics"]
        times.append({one["name"]: one["value"] for one in found}["TaskDuration"])
    assert min(times) < 1  # seconds of the processor
    page.evaluate("toggle([0, 'g7'])")
    page.evaluate("toggle([0, 'g7', '…17'])")
    assert page.evaluate("drawn.has('0/g7/40')")

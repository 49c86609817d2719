"""xml.dom.minidom of the classic server, compared with that of the CPython that runs the tests."""
import pytest

from test_classic_server import classic, classic_servers, plain, same  # noqa: F401  fixtures

DOCUMENT = """<?xml version="1.0"?>
<!-- before --><?target some data?>
<config  version = '1 &amp; 2' xmlns:n="urn:x"><n:item n:key="a
b">text &lt;&#65;&gt;</n:item><item/><empty></empty>
  <group><item key="&quot;">in<!--side--><![CDATA[<raw> & ]]>out</item></group>é</config>
"""
BAD = ["", " ", "x", "<a>", "<a></b>", "<a/><b/>", "<a b='1' b='2'/>", "<a>&nothing;</a>", "<a", "<a/>x", "</a>", "<a b=1/>", "<1/>", " <?xml version='1.0'?><a/>"]


def walk(node):
    return [(n.nodeType, n.nodeName, n.nodeValue, n.hasChildNodes(), n.parentNode.nodeName, n.ownerDocument.nodeName,
             n.nextSibling is not None and n.nextSibling.nodeName, n.previousSibling is not None and n.previousSibling.nodeName, walk(n))
            for n in node.childNodes]


@pytest.mark.parametrize("form", [str, lambda s: s.encode()], ids=["str", "bytes"])
def test_reading(classic, form):
    def use(c):
        d = c.modules["xml.dom.minidom"].parseString(form(DOCUMENT))
        root = d.documentElement
        found = d.getElementsByTagName("item")
        return (walk(d), d.nodeType, d.nodeName, root.tagName, root.getAttribute("version"), root.getAttribute("none"), root.hasAttribute("version"),
                root.hasAttribute("none"), root.hasAttributes(), len(found), found[1].getAttribute("key"), len(d.getElementsByTagName("*")),
                root.getElementsByTagName("n:item")[0].getAttribute("n:key"), root.firstChild.toxml(), found[1].firstChild.data,
                found[1].nodeType == found[1].ELEMENT_NODE, d.parentNode, d.ownerDocument, repr(found[1].firstChild), bool(found[0]))
    same(classic, use)


def test_writing(classic):
    def use(c):
        d = c.modules["xml.dom.minidom"].parseString("<a><b/>t<c x='1'/></a>")
        a = d.documentElement
        e = d.createElement("new")
        e.setAttribute("k", '<"&>')
        e.setAttribute("x", "1")
        e.setAttribute("x", "2")
        e.appendChild(d.createTextNode("a < b & c"))
        e.appendChild(d.createComment("note"))
        a.appendChild(e)
        a.appendChild(a.firstChild)
        a.removeChild(a.getElementsByTagName("c")[0])
        a.firstChild.data = "changed"
        e.removeAttribute("x")
        return e.toxml(), [n.nodeName for n in a.childNodes], e.parentNode.tagName
    same(classic, use)


def test_refusals(classic):
    def use(c):
        m, results = c.modules["xml.dom.minidom"], []
        d = m.parseString("<a><b/></a>")
        a, b = d.documentElement, d.documentElement.firstChild
        for act in (lambda: a.removeChild(a), lambda: d.appendChild(d.createElement("second")), lambda: b.firstChild.appendChild(b)):
            try:
                act()
                results.append("done")
            except Exception as e:
                results.append(type(e).__name__.rpartition(".")[2])
        return results
    same(classic, use)


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_xml(classic, text):
    with pytest.raises(Exception) as caught:
        classic.modules["xml.dom.minidom"].parseString(text)
    assert type(caught.value).__name__.endswith("ExpatError")
    assert caught.value.lineno == 1


def test_files(classic, tmp_path):
    path = tmp_path / "d.xml"
    path.write_text(DOCUMENT, encoding="utf-8")

    def use(c):
        m = c.modules["xml.dom.minidom"]
        with c.builtins.open(str(path), "rb") as f:
            first = m.parse(f).documentElement.getAttribute("version")
        return first, len(plain(m.parse(str(path)).toxml())) > 100
    same(classic, use)
    with pytest.raises(FileNotFoundError):
        classic.modules["xml.dom.minidom"].parse(str(tmp_path / "none"))


def test_entities_and_depth(kind, classic):
    """Nothing grows: document types, which define entities, are refused."""
    if kind != "go":
        pytest.skip("CPython reads them")
    m = classic.modules["xml.dom.minidom"]
    with pytest.raises(NotImplementedError):
        m.parseString('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>')
    with pytest.raises(RecursionError):
        m.parseString("<a>" * 100000 + "</a>" * 100000)
    d = m.parseString("<a><b/></a>")
    with pytest.raises(Exception, match="cannot have that child"):
        d.documentElement.firstChild.appendChild(d.documentElement)

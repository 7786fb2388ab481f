from tlda.report.markup import Markup, element, join

HOSTILE = '<script>alert("1 & 2")</script>'


def test_texts_are_escaped_and_markup_is_not() -> None:
  inner = element('b', HOSTILE)
  assert inner == '<b>&lt;script&gt;alert(&quot;1 &amp; 2&quot;)&lt;/script&gt;</b>'
  assert element('p', inner) == f'<p>{inner}</p>'


def test_attributes_are_escaped_and_named() -> None:
  made = element('td', class_='a"b', aria_label='<x>', style=None, tabindex=0)
  assert made == '<td class="a&quot;b" aria-label="&lt;x&gt;" tabindex="0"></td>'


def test_void_elements_have_no_end() -> None:
  assert element('img', src='data:,', alt='') == '<img src="data:," alt="">'


def test_join() -> None:
  assert join('<', Markup('<br>')) == '&lt;<br>'
  assert isinstance(join(), Markup)

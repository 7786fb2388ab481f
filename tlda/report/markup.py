"""HTML that cannot be injected into: what is not `Markup` is escaped where it is put in.

Names of classes and domains, notes and configurations come from files, so they are not to be
trusted.
"""

import html


class Markup(str):
  """A string that is HTML already."""

  __slots__ = ()


def element(tag: str, *children: str, **attributes: str | float | None) -> Markup:
  """Builds one element.

  Args:
    tag: The name of the element, such as 'p'; 'img', 'source' and the like have no children.
    *children: Texts, which are escaped, and `Markup`, which is not.
    **attributes: Attributes, which are escaped. Underscores stand for hyphens, one at the end is
      dropped (`class_`), and an attribute that is None is left out.
  """
  named = ((name.rstrip('_').replace('_', '-'), value) for name, value in attributes.items())
  given = ''.join(f' {name}="{html.escape(str(x))}"' for name, x in named if x is not None)
  if tag in ('img', 'br', 'meta'):
    return Markup(f'<{tag}{given}>')
  return Markup(f'<{tag}{given}>{join(*children)}</{tag}>')


def join(*parts: str, between: str = '') -> Markup:
  """Puts parts one after the other; texts are escaped."""
  escaped = (part if isinstance(part, Markup) else html.escape(part) for part in parts)
  return Markup(between.join(escaped))

"""Sphinx: `make docs` builds the site into build/docs, without a network."""

from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'docs/_ext')]

from guda_ros import __version__  # noqa: E402

project = 'guda_ros'
author = 'guda_ros maintainers'
copyright = author
version = release = __version__

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'docstrings', 'generated']
source_suffix = {'.md': 'markdown', '.rst': 'restructuredtext'}
exclude_patterns = ['_ext']
root_doc = 'index'
language = 'en'

# What is in commands stays as it is; nothing is highlighted where no language is named.
smartquotes = False
highlight_language = 'none'
default_role = 'literal'

myst_heading_anchors = 4
myst_enable_extensions = ['colon_fence', 'deflist', 'fieldlist']

autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
autodoc_inherit_docstrings = True
autodoc_preserve_defaults = True
# References of the pages are checked to the last; those of signatures go to other libraries.
nitpicky = True
nitpick_ignore_regex = [('py:.*', '.*')]

html_theme = 'furo'
html_title = 'guda_ros'
html_static_path = ['_static']
html_css_files = ['guda.css']
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    'navigation_with_keys': True,
    'light_css_variables': {
        'color-brand-primary': '#1c6b3c',
        'color-brand-content': '#1c6b3c',
        'font-stack': 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif',
        'font-stack--monospace': 'ui-monospace, "DejaVu Sans Mono", monospace',
    },
    'dark_css_variables': {
        'color-brand-primary': '#7fd39d',
        'color-brand-content': '#7fd39d',
    },
}

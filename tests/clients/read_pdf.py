"""Reads every PDF of a folder strictly, and tells its text as JSON: {file name: [line, ...]}."""

import json
import sys
import warnings
from pathlib import Path

from pypdf import PdfReader

# what a strict reader would only grumble about is an error
warnings.simplefilter("error")
texts = {}
for path in sorted(Path(sys.argv[1]).glob("*.pdf")):
    pages = PdfReader(path, strict=True).pages
    texts[path.name] = [line for page in pages for line in page.extract_text().splitlines()]
print(json.dumps(texts))

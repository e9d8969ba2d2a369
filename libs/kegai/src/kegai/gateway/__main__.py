"""`python -m kegai.gateway` writes every generated file of the gateway anew."""

from kegai.gateway import committed_files, load
from kegai.gateway.routes import CHECKOUT

for path, text in committed_files(load()).items():
    target = CHECKOUT / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(path)

"""Where a secret can stand in a file: each place with ``@`` for the secret."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PLACES", "Place"]


class Place(NamedTuple):
    """One spelling of an assignment."""

    file: str
    text: str

    def with_value(self, value: str) -> str:
        """Return the text with a value in it."""
        return self.text.replace("@", value).replace("%git", "@git")

    def anonymous(self) -> Place:
        """Return the place with a name that says nothing in place of ``api_key``."""
        text = self.text
        for name in ("API_KEY", "api_key", "ApiKey", "Api-Key", "password", "PASSWORD"):
            text = text.replace(name, "x1")
        return Place(self.file, text)


PLACES: dict[str, Place] = {
    "start of a line": Place("a.py", 'API_KEY = "@"\n'),
    "added line": Place("a.diff", '+API_KEY = "@"\n'),
    "removed line": Place("a.diff", '-API_KEY = "@"\n'),
    "removed line of YAML": Place("a.diff", "-db_password: @\n"),
    "indented": Place("a.py", "class A:\n        api_key = '@'\n"),
    "annotated": Place("a.py", 'password: str = "@"\n'),
    "annotated as optional": Place("a.py", 'api_key: Optional[str] = "@"\n'),
    "annotated as a union": Place("a.py", 'api_key: str | None = "@"\n'),
    "bytes": Place("a.py", 'API_KEY = b"@"\n'),
    "raw": Place("a.py", 'API_KEY = r"@"\n'),
    "triple quotes": Place("a.py", 'API_KEY = """@"""\n'),
    "next line": Place("a.py", 'API_KEY = (\n    "@"\n)\n'),
    "continued line": Place("a.py", 'API_KEY = \\\n    "@"\n'),
    "dictionary": Place("a.py", 'db = {"user": "a", "pass": "@"}\n'),
    "dictionary call": Place("a.py", 'db = dict(user="a", password="@")\n'),
    "default of getenv": Place("a.py", 'os.getenv("API_KEY", "@")\n'),
    "default of get": Place("a.py", 'os.environ.get("API_KEY", default="@")\n'),
    "setdefault": Place("a.py", 'os.environ.setdefault("SECRET_KEY", "@")\n'),
    "environment": Place("a.py", "os.environ['MY_TOKEN'] = '@'\n"),
    "default argument": Place("a.py", 'def f(api_key: str = "@"): ...\n'),
    "header": Place("a.py", 'get(url, headers={"X-Api-Key": "@"})\n'),
    "bearer": Place("a.py", 'get(url, headers={"Authorization": "Bearer @"})\n'),
    "f-string": Place("a.py", 'headers = {"Authorization": f"Bearer @"}\n'),
    "login": Place("a.py", 'get(url, auth=("ada", "@"))\n'),
    "tuple": Place("a.py", 'user, password = "ada", "@"\n'),
    "comparison": Place("a.py", 'if token_given and api_token == "@": pass\n'),
    "walrus": Place("a.py", 'if (api_token := "@"): pass\n'),
    "arrow": Place("a.rb", "'api_key' => '@',\n"),
    "JSON": Place("a.json", '{\n  "client_secret": "@"\n}\n'),
    "JSON on one line": Place("a.json", '{"api_key":"@","n":1}'),
    "JSON, name and value": Place("a.json", '{"name": "API_KEY", "value": "@"}'),
    "JSON in a string": Place("a.py", 'x = "{\\"api_key\\": \\"@\\"}"\n'),
    "YAML": Place("a.yaml", "db:\n  password: @\n"),
    "YAML with quotes": Place("a.yml", "db:\n  password: '@'\n"),
    "YAML of Kubernetes": Place("a.yaml", "- name: DB_PASSWORD\n  value: @\n"),
    "TOML": Place("a.toml", '[db]\npassword = "@"\n'),
    "INI": Place("a.ini", "[db]\npassword=@\n"),
    "properties": Place("a.properties", "spring.datasource.password=@\n"),
    "shell": Place("a.sh", "export API_KEY=@\n"),
    "shell with quotes": Place("a.sh", 'export API_KEY="@"\n'),
    "shell option": Place("go", "login --password @ --quiet\n"),
    "shell header": Place("go", 'curl -H "X-Api-Key: @" https://x.example\n'),
    "Dockerfile ENV": Place("Dockerfile", "FROM x\nENV API_KEY=@\n"),
    "Dockerfile ENV with a space": Place("Dockerfile", "FROM x\nENV API_KEY @\n"),
    "Dockerfile ARG": Place("Dockerfile", "ARG API_TOKEN=@\n"),
    "XML element": Place("a.xml", "<db><password>@</password></db>\n"),
    "XML attribute": Place("a.xml", '<add name="x" password="@"/>\n'),
    "XML key and value": Place("a.xml", '<add key="ApiKey" value="@" />\n'),
    "cell": Place("a.ipynb", '{"cells": [{"source": ["api_key = \\"@\\"\\n"]}]}'),
    "cell, magic": Place("a.ipynb", '{"cells": [{"source": ["%env API_KEY=@\\n"]}]}'),
    "connection string": Place("a.cs", 'x = "Server=db;User=ada;Password=@;"\n'),
    "query": Place("a.py", 'get("https://x.example/?n=1&api_key=@&m=2")\n'),
    "userinfo": Place("a.txt", "git+https://ada:@%git.example/x.git\n"),
}
"""By what they are."""

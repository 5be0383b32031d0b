"""A little OpenID Connect provider over TLS: it signs in whoever it was told to, and can be told to lie."""

import base64
import hashlib
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT, SECRET = "equipoise-tests", "a secret of these tests"


class Provider:
    """What it says of itself and of whom, to be changed by a test.

    `claims` go into the ID token over what belongs there, `about` into the answer of the userinfo address;
    `key` signs, `algorithm` by which rule. `asked` is what the authorisation address was last asked.
    """

    def __init__(self):
        self.authority = trustme.CA()
        self.key = rsa.generate_private_key(65537, 2048)
        self.published = self.key.public_key()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost").configure_cert(context)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.origin = f"https://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.forget()

    def forget(self):
        """Honest again."""
        self.claims, self.about, self.configuration = {}, {}, {}
        self.algorithm, self.signing, self.asked, self.codes = "RS256", self.key, {}, {}

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def sign_in(self, address):
        """What the browser of somebody who is signed in there does with the address: where it goes next."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = dict(self.asked)
        back = urlsplit(self.asked["redirect_uri"])
        return f"{back.path}?code={code}&state={self.asked['state']}"

    def token(self, form):
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        right = asked and form.get("client_secret") == SECRET and challenge == asked.get("code_challenge")
        if not right:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.origin,
            "aud": CLIENT,
            "sub": "person-1",
            "iat": now,
            "exp": now + 300,
            "nonce": asked.get("nonce"),
            "email": "alice@example.org",
            "email_verified": True,
            "name": "A name that is not kept",
            **self.claims,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode(told, self.signing, self.algorithm, headers={"kid": "first"})
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": signed}

    def said(self, path):
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.origin,
                "authorization_endpoint": f"{self.origin}/authorize",
                "token_endpoint": f"{self.origin}/token",
                "userinfo_endpoint": f"{self.origin}/about",
                "jwks_uri": f"{self.origin}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                **self.configuration,
            }
        if path == "/keys":
            found = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.published))
            return {"keys": [{**found, "kid": "first", "alg": "RS256", "use": "sig"}]}
        return {"sub": "person-1", **self.about} if path == "/about" else None

    @property
    def public_text(self):
        """The published key as text, for whoever mistakes it for a secret."""
        return self.published.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _handler(provider):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = provider.said(urlsplit(self.path).path)
            self._answer(404 if found is None else 200, found or {})

        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(text).items()}
            self._answer(*provider.token(form))

        def _answer(self, status, said):
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler

"""What a reader of the article writes in Python, with requests. Usage: article.py http://HOST:PORT TOKEN

Every request of the article about users, products, orders and data, with only the host and the
token replaced: TOKEN stands for its `token123` and its `sk-secret-key-12345`.
"""

import sys
import uuid

try:
    import requests
except ImportError:
    sys.exit("requests is not installed: apt-get install python3-requests, or "
             "python3 -m pip install requests")

BASE = sys.argv[1]
TOKEN = {"Authorization": f"Bearer {sys.argv[2]}"}
CHARLIE = {"name": "Charlie", "email": "charlie@example.com", "role": "developer"}


def simple_get():
    response = requests.get(f"{BASE}/users", params={"page": 1, "limit": 10, "sort": "name"})
    assert response.status_code == 200, response.text
    data = response.json()
    assert [user["name"] for user in data["users"][:2]] == ["Alice", "Bob"], data
    assert (data["total"], data["page"], data["limit"]) == (42, 1, 10), data
    assert len(data["users"]) == 10
    again = requests.get(f"{BASE}/api/users?page=1&limit=10&sort=name",
                         headers=TOKEN | {"Accept": "application/json"})
    assert again.json()["users"] == data["users"]


def post_creates():
    for path in ("/users", "/api/users"):
        before = requests.get(BASE + path).json()["total"]
        response = requests.post(BASE + path, json=CHARLIE, headers=TOKEN)
        assert response.status_code == 201, response.text
        user = response.json()
        assert user["id"] > 42 and user["createdAt"].endswith("Z"), user
        assert {name: user[name] for name in CHARLIE} == CHARLIE, user
        assert response.headers["Location"] == f"/api/users/{user['id']}"
        assert requests.get(BASE + path).json()["total"] == before + 1
        assert requests.get(BASE + response.headers["Location"]).json() == user


def get_is_safe_to_retry():
    answers = {requests.get(f"{BASE}/api/users/42").content for _ in range(10)}
    assert len(answers) == 1, answers


def post_is_not():
    order = {"product": 1, "quantity": 1}
    before = requests.get(f"{BASE}/api/orders", headers=TOKEN).json()["total"]
    for _ in range(10):
        response = requests.post(f"{BASE}/api/orders", json=order)
        assert response.status_code == 201, response.text
    assert requests.get(f"{BASE}/api/orders", headers=TOKEN).json()["total"] == before + 10

    key = {"Idempotency-Key": str(uuid.uuid4())}
    answers = [requests.post(f"{BASE}/api/orders", json=order, headers=key) for _ in range(10)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert [("Idempotent-Replayed" in answer.headers) for answer in answers] == [False] + [True] * 9
    assert requests.get(f"{BASE}/api/orders", headers=TOKEN).json()["total"] == before + 11


def caching():
    first = requests.get(f"{BASE}/api/products")
    assert first.headers["Cache-Control"] == "public, max-age=60"
    second = requests.get(f"{BASE}/api/products", headers={"Cache-Control": "no-cache"})
    assert second.content == first.content
    third = requests.get(f"{BASE}/api/products", headers={"If-None-Match": first.headers["ETag"]})
    assert third.status_code == 304 and third.content == b"", third.text


def secrets():
    refused = requests.get(f"{BASE}/api/data?api_key=sk-secret-key-12345")
    assert refused.status_code == 400, refused.text
    assert refused.json()["type"].endswith("/problems/secret-in-url")
    assert "sk-secret" not in refused.text
    taken = requests.get(f"{BASE}/api/data", headers=TOKEN)
    assert taken.status_code == 200, taken.text
    refused = requests.get(f"{BASE}/login", params={"username": "alice", "password": "secret123"})
    assert refused.status_code == 400 and "secret123" not in refused.text, refused.text


def the_other_methods():
    url = f"{BASE}/api/users/42"
    assert requests.get(f"{url}/delete").status_code == 404
    head = requests.head(url)
    assert head.status_code == 200 and head.content == b""
    assert "GET" in requests.options(url).headers["Allow"]
    full = {"name": "Replaced", "email": "replaced@example.com"}
    replaced = requests.put(url, json=full, headers=TOKEN)
    assert replaced.status_code == 200 and replaced.json()["role"] == "customer", replaced.text
    patched = requests.patch(url, json={"role": "developer"}, headers=TOKEN)
    assert patched.json()["name"] == "Replaced" and patched.json()["role"] == "developer"
    deleted = requests.delete(url, headers=TOKEN)
    assert deleted.status_code == 200 and deleted.json() == {"status": "deleted"}, deleted.text
    assert requests.delete(url, headers=TOKEN).status_code == 404
    assert requests.get(f"{BASE}/users/42").status_code == 404


def filters():
    found = requests.get(f"{BASE}/api/users", params={"name": "alice"}).json()
    assert [user["name"] for user in found["users"]] == ["Alice"], found
    page = requests.get(f"{BASE}/products?category=electronics&page=2").json()
    assert page["page"] == 2
    assert all(product["category"] == "electronics" for product in page["products"])


def forms():
    sent = requests.post(f"{BASE}/messages", data={"email": "a@example.com", "text": "Hello & bye"})
    assert sent.status_code == 201 and sent.json()["text"] == "Hello & bye", sent.text
    fields = {"email": (None, "a@example.com"), "text": (None, "In parts")}
    sent = requests.post(f"{BASE}/messages", files=fields)
    assert sent.status_code == 201 and sent.json()["text"] == "In parts", sent.text


def sign_in():
    login = {"username": "alice", "password": "secret123"}
    for path, sent in ((f"{BASE}/login", {"data": login}), (f"{BASE}/api/login", {"json": login})):
        answer = requests.post(path, **sent)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        token = {"Authorization": f"Bearer {answer.json()['token']}"}
        assert requests.get(f"{BASE}/api/me", headers=token).json()["username"] == "alice"
        assert requests.get(f"{BASE}/api/messages", headers=token).status_code == 403
        assert requests.post(f"{BASE}/api/logout", headers=token).status_code == 200
        assert requests.get(f"{BASE}/api/me", headers=token).status_code == 401
    login["password"] = "secret124"
    assert requests.post(f"{BASE}/login", data=login).status_code == 401


STEPS = [simple_get, post_creates, get_is_safe_to_retry, post_is_not, caching, secrets, filters,
         forms, the_other_methods, sign_in]
for step in STEPS:
    step()
    print("ok", step.__name__)

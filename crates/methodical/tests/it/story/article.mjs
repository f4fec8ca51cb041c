// What a reader of the article writes in JavaScript, with the fetch of Node.
// Usage: node article.mjs http://HOST:PORT TOKEN
//
// Every request of the article about users, products, orders and data, with only the host and the
// token replaced: TOKEN stands for its `token123` and its `sk-secret-key-12345`.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

const base = process.argv[2];
const Authorization = `Bearer ${process.argv[3]}`;
if (typeof fetch !== 'function') {
  console.error('fetch is not there: install Node 18 or later');
  process.exit(1);
}

async function simpleGet() {
  const response = await fetch(`${base}/users?page=1&limit=10`);
  const data = await response.json();
  assert.equal(response.status, 200);
  assert.equal(data.total, 42);
  assert.equal(data.page, 1);
  assert.equal(data.limit, 10);
  assert.equal(data.users.length, 10);

  const sorted = await fetch(`${base}/users?page=1&limit=10&sort=name`);
  const { users } = await sorted.json();
  assert.deepEqual(users.slice(0, 2).map(({ id, name, email }) => ({ id, name, email })), [
    { id: 1, name: 'Alice', email: 'alice@example.com' },
    { id: 2, name: 'Bob', email: 'bob@example.com' },
  ]);
}

async function getWithHeaders() {
  const response = await fetch(`${base}/users?page=1`, {
    method: 'GET',
    headers: { Authorization, Accept: 'application/json' },
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^application\/json/);
  assert.equal((await response.json()).limit, 20);
}

async function postCreates() {
  for (const path of ['/users', '/api/users']) {
    const response = await fetch(base + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization },
      body: JSON.stringify({ name: 'Charlie', email: 'charlie@example.com', role: 'developer' }),
    });
    assert.equal(response.status, 201);
    const newUser = await response.json();
    assert.ok(newUser.id > 42);
    assert.equal(newUser.name, 'Charlie');
    assert.equal(newUser.role, 'developer');
    assert.ok(!Number.isNaN(Date.parse(newUser.createdAt)));
    assert.equal(response.headers.get('location'), `/api/users/${newUser.id}`);
    assert.ok(response.headers.get('etag'));
  }
}

async function postOnce() {
  const order = JSON.stringify({ product: 2, quantity: 3 });
  const total = async () => {
    const list = await fetch(`${base}/api/orders?limit=1`, { headers: { Authorization } });
    return (await list.json()).total;
  };
  const before = await total();
  const send = (headers) => fetch(`${base}/api/orders`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: order,
  });
  await Promise.all(Array.from({ length: 10 }, () => send({})));
  assert.equal(await total(), before + 10);

  const key = { 'Idempotency-Key': randomUUID() };
  const answers = await Promise.all(Array.from({ length: 10 }, () => send(key)));
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([201]));
  assert.equal(new Set(texts).size, 1);
  assert.equal(await total(), before + 11);
}

async function mistakes() {
  const leaked = await fetch(`${base}/api/data?api_key=sk-secret-key-12345`);
  assert.equal(leaked.status, 400);
  assert.ok(!(await leaked.text()).includes('sk-secret'));
  const right = await fetch(`${base}/api/data`, {
    headers: { Authorization },
  });
  assert.equal(right.status, 200);
  assert.equal((await right.json()).data.length, 3);
  const login = await fetch(`${base}/login?username=alice&password=secret123`);
  assert.equal(login.status, 400);
  const unsafe = await fetch(`${base}/api/users/42/delete`);
  assert.equal(unsafe.status, 404);
}

async function theOtherMethods() {
  const url = `${base}/users/42`;
  const head = await fetch(url, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
  const options = await fetch(url, { method: 'OPTIONS' });
  assert.equal(options.status, 204);
  assert.match(options.headers.get('allow'), /PATCH/);
  const json = { 'Content-Type': 'application/json', Authorization };
  const put = await fetch(url, {
    method: 'PUT',
    headers: json,
    body: JSON.stringify({ name: 'New', email: 'new@example.com' }),
  });
  assert.equal(put.status, 200);
  const patch = await fetch(url, {
    method: 'PATCH',
    headers: json,
    body: JSON.stringify({ role: 'developer' }),
  });
  const patched = await patch.json();
  assert.equal(patched.name, 'New');
  assert.equal(patched.role, 'developer');
  const gone = await fetch(url, { method: 'DELETE', headers: { Authorization } });
  assert.deepEqual(await gone.json(), { status: 'deleted' });
  assert.equal((await fetch(url, { method: 'DELETE', headers: { Authorization } })).status, 404);
}

async function forms() {
  const urlencoded = await fetch(`${base}/messages`, {
    method: 'POST',
    body: new URLSearchParams({ email: 'a@example.com', text: 'Hello & bye' }),
  });
  assert.equal(urlencoded.status, 201);
  const form = new FormData();
  form.append('email', 'a@example.com');
  form.append('text', 'In parts');
  const multipart = await fetch(`${base}/messages`, { method: 'POST', body: form });
  assert.equal(multipart.status, 201);
  assert.equal((await multipart.json()).text, 'In parts');
}

for (const step of [simpleGet, getWithHeaders, postCreates, postOnce, mistakes, forms, theOtherMethods]) {
  await step();
  console.log('ok', step.name);
}

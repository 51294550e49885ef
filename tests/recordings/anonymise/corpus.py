"""500 texts with more than 2,000 marked values, and as many things that only look like some.

The texts are written by hand, as people write to models, tools answer and machines log; the values
in them are drawn from what such values look like, independently of how llmsim finds them. A value
is marked as ``{kind}`` in a text; ``{decoy}`` is something that must stay.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import md5, sha1, sha256
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits

import phonenumbers
from stdnum import luhn

TEXTS = 500
VALUES = 2000

WRITTEN = """
Hi, I'm locked out. My account mail is {email} and my phone is {phone}. Can you help? Ref {decoy}.
Please forward this to {email} and cc {email}, they asked for build {decoy} yesterday.
curl https://api.openai.com/v1/chat/completions -H "Authorization: Bearer {key}" -d @{decoy}.json
export ANTHROPIC_API_KEY={key}\\nexport OPENAI_API_KEY={key}\\nexport MODEL={decoy}
{{"user": "{email}", "ip": "{ip}", "request_id": "{decoy}", "agent": "curl/8.4.0"}}
{{"contact": {{"email": "{email}", "phone": "{phone}"}}, "iban": "{iban}", "model": "{decoy}"}}
2026-11-30T12:00:01Z INFO login ok user={email} src={ip} session={decoy}
2026-11-30 12:00:01,123 ERROR auth failed for {email} from {ip}: password={password}
postgres://{user_info}@db.internal:5432/app?sslmode=require # revision {decoy}
redis://{user_info}@cache-01:6379/0 and amqp://{user_info}@mq/vhost, image sha {decoy}
Pay {iban} please, reference {decoy}; the card {card} was declined.
My card number is {card}, expiry 04/29. Charge id {decoy}. Call me on {phone}.
The server {ip} answers, {ip} does not; both run {decoy}.
ssh admin@{ip} then paste the key:\\n{private_key}\\nand delete {decoy}.
Set-Cookie path=/; token {jwt}; see {decoy}
Der Kunde {email} bittet um Rückruf unter {phone}; IBAN {iban}. Ticket {decoy}
Bonjour, mon adresse est {email} et mon numéro {phone}. Dossier {decoy}.
Hola, mi correo es {email}, mi teléfono {phone} y mi cuenta {iban}. Pedido {decoy}.
api_key: {key}\\napi_secret: {password}\\nendpoint: https://example.org/{decoy}
password = "{password}"  # rotate! commit {decoy}
const client = new OpenAI({{ apiKey: "{key}" }}); // model {decoy}
client_secret={password}&grant_type=refresh&refresh_token={token}&nonce={decoy}
AWS_ACCESS_KEY_ID={aws} AWS_SECRET_ACCESS_KEY={token} AWS_REGION=eu-central-1 BUILD={decoy}
The tool returned: {{"to": "{email}", "from": "{email}", "id": "{decoy}"}}
I wired it to {iban} and {iban}, not to {iban}. Receipt {decoy}.
Numbers: {phone}, {phone}, {phone}. Version {decoy}.
Cards on file: {card}; {card}; {card} (order {decoy})
Allow {ip}, {ip}, {ip} and {ip} in the firewall, then deploy {decoy}.
Mails bounced: {email}, {email}, {email}, {email}; batch {decoy}
Here is what I know: {email}. {phone}. {ip}. {card}. {iban}. {decoy}.
webhook secret is {password} and the bot token is {slack}, channel {decoy}
git remote add origin https://{user_info}@github.com/acme/app.git && git checkout {decoy}
GITHUB_TOKEN={github} gh api /repos --jq {decoy}
x-api-key: {key}\\nx-goog-api-key: {google}\\nx-request-id: {decoy}
https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash?key={google}&x={decoy}
Can you summarise? From: {email} To: {email} Subject: invoice {decoy} Body: please pay {iban}
The customer wrote from {email}; her phone {phone} was busy; she used card {card}; see {decoy}.
user_id,email,phone,ip\\n{decoy},{email},{phone},{ip}\\n{decoy},{email},{phone},{ip}
| {email} | {phone} | {ip} | {decoy} |
<contact mail="{email}" tel="{phone}" id="{decoy}"/>
- mail: {email}\\n- phone: {phone}\\n- account: {iban}\\n- commit: {decoy}
Bearer {jwt} expired, use Bearer {jwt}; trace {decoy}
hf auth login --token {hf} && vllm serve {decoy}
STRIPE_KEY={stripe} stripe charges retrieve {decoy}
If {ip} is down try {ip} (release {decoy}), or mail {email}.
Reset link for {email}: https://example.org/r/{decoy} — your temporary password is {password}.
{decoy} {email} {decoy} {phone} {decoy} {card} {decoy}
\"{email}\" <{email}>; tel:{phone}; id={decoy}
The old passphrase: {password}. The new passphrase: {password}. Changed by {email}, {decoy}.
Please book it for {email}, pay with {card}, and text {phone} when done ({decoy}).
""".strip().splitlines()

DECOYS: tuple[Callable[[Random], str], ...] = (
    lambda r: f"{r.randrange(1, 20)}.{r.randrange(0, 40)}.{r.randrange(0, 90)}",
    lambda r: str(uuid.UUID(int=r.getrandbits(128), version=4)),
    lambda r: sha256(r.randbytes(8)).hexdigest(),
    lambda r: sha1(r.randbytes(8)).hexdigest(),
    lambda r: md5(r.randbytes(8)).hexdigest(),
    lambda r: sha1(r.randbytes(8)).hexdigest()[:7],
    lambda r: f"20{r.randrange(10, 30)}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}",
    lambda r: f"INV-{r.randrange(1000, 99999)}",
    lambda r: f"chatcmpl-{_word(r, ascii_letters + digits, 29)}",
    lambda r: f"resp_{_word(r, '0123456789abcdef', 48)}",
    lambda r: f"call_{_word(r, ascii_letters + digits, 24)}",
    lambda r: f"toolu_01{_word(r, ascii_letters + digits, 22)}",
    lambda r: f"req_{_word(r, ascii_letters + digits, 24)}",
    lambda r: "claude-sonnet-4-5-20250929",
    lambda r: "gpt-4o-mini-2024-07-18",
    lambda r: "meta-llama/Llama-3.1-70B-Instruct",
    lambda r: f"{r.randrange(1, 2000)}.{r.randrange(0, 99):02}",
    lambda r: f"{r.randrange(1, 999)},{r.randrange(100, 999)},{r.randrange(100, 999)}",
    lambda r: (
        f"v{r.randrange(1, 9)}.{r.randrange(1, 20)}.{r.randrange(1, 9)}-rc{r.randrange(1, 9)}"
    ),
    lambda r: f"0x{r.getrandbits(32):08x}",
    lambda r: f"src/{_word(r, ascii_lowercase, 9)}/{_word(r, ascii_lowercase, 7)}.py",
    lambda r: f"{_word(r, ascii_uppercase, 3)}{r.randrange(100, 999)}",
    lambda r: str(r.randrange(1_600_000_000, 1_900_000_000)),
    lambda r: "127.0.0.1",
    lambda r: f"{r.uniform(-90, 90):.5f}",
)
"""What looks like a value, and is none."""

FIRST = ["olivia", "liam", "noah", "ava", "ethan", "mia", "lucas", "zoe", "ivan", "chen", "priya"]
LAST = ["muller", "okafor", "tanaka", "garcia", "smith", "rossi", "novak", "silva", "kim", "olsen"]
HOSTS = ["gmail.com", "yahoo.co.uk", "corp-mail.io", "uni-bonn.de", "acme.com.br", "mail.ru"]
COUNTRIES = ["DE", "GB", "FR", "ES", "NL", "CH", "AT", "BE", "PL", "US"]
IBANS = {
    "DE": "18n", "GB": "4a14n", "FR": "10n11c2n", "ES": "20n", "NL": "4a10n", "IT": "1a10n12c",
    "CH": "5n12c", "AT": "16n", "BE": "12n", "PL": "24n", "NO": "11n",
}  # fmt: skip
BRANDS = {"4": 16, "51": 16, "55": 16, "37": 15, "34": 15, "6011": 16, "36": 14, "2221": 16}


def _word(random: Random, letters: str, size: int) -> str:
    return "".join(random.choices(letters, k=size))


def email(r: Random) -> str:
    first, last = r.choice(FIRST), r.choice(LAST)
    name = r.choice([f"{first}.{last}", f"{first}{r.randrange(99)}", f"{first[0]}_{last}", last])
    return f"{name}{r.choice(['', '', '+news'])}@{r.choice(HOSTS)}"


def phone(r: Random) -> str:
    """An existing kind of number, written in one of the usual ways."""
    country = r.choice(COUNTRIES)
    example = phonenumbers.example_number_for_type(
        country,
        r.choice([phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE]),
    )
    national = str(example.national_number)
    for _ in range(200):
        made = national[:-4] + _word(r, digits, 4)
        number = phonenumbers.parse(f"+{example.country_code}{made}")
        if phonenumbers.is_valid_number(number):
            break
    ways = phonenumbers.PhoneNumberFormat
    if country == "US" and r.random() < 0.5:
        return phonenumbers.format_number(number, ways.NATIONAL)
    return phonenumbers.format_number(number, r.choice([ways.INTERNATIONAL, ways.E164]))


def card(r: Random) -> str:
    prefix, size = r.choice(list(BRANDS.items()))
    body = prefix + _word(r, digits, size - len(prefix) - 1)
    number = body + luhn.calc_check_digit(body)
    if size != 16:
        return number
    separator = r.choice(["", " ", "-"])
    return separator.join(number[at : at + 4] for at in range(0, 16, 4))


def iban(r: Random) -> str:
    country, structure = r.choice(list(IBANS.items()))
    body, count = "", ""
    for one in structure:
        if one.isdigit():
            count += one
            continue
        letters = {"n": digits, "a": ascii_uppercase, "c": ascii_uppercase + digits}[one]
        body += _word(r, letters, int(count))
        count = ""
    value = int("".join(str(int(one, 36)) for one in f"{body}{country}00"))
    whole = f"{country}{98 - value % 97:02}{body}"
    if r.random() < 0.5:
        return whole
    return " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))


def ip(r: Random) -> str:
    if r.random() < 0.2:
        return ":".join(f"{r.randrange(0x1000, 0xFFFF):x}" for _ in range(8))
    return f"{r.choice([10, 172, 192, 8, 52, 93, 203])}." + ".".join(
        str(r.randrange(1, 254)) for _ in range(3)
    )


def password(r: Random) -> str:
    return r.choice(
        [
            _word(r, ascii_letters + digits, 12) + "7",
            f"{r.choice(FIRST)}{r.randrange(100, 9999)}",
            _word(r, ascii_lowercase, 6) + "-" + _word(r, ascii_lowercase, 5) + str(r.randrange(9)),
            _word(r, ascii_letters, 9) + "!" + str(r.randrange(10)),
        ]
    )


def private_key(r: Random) -> str:
    kind = r.choice(["RSA ", "EC ", "OPENSSH ", ""])
    lines = "\n".join(_word(r, ascii_letters + digits + "+/", 64) for _ in range(4))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"


def _prefixed(
    prefixes: str, size: int, letters: str = ascii_letters + digits
) -> Callable[[Random], str]:
    return lambda r: r.choice(prefixes.split()) + _word(r, letters, size)


def jwt(r: Random) -> str:
    letters = ascii_letters + digits + "-_"
    return f"eyJ{_word(r, letters, 24)}.eyJ{_word(r, letters, 60)}.{_word(r, letters, 43)}"


MAKERS: dict[str, Callable[[Random], str]] = {
    "email": email,
    "phone": phone,
    "card": card,
    "iban": iban,
    "ip": ip,
    "password": password,
    "private_key": private_key,
    "jwt": jwt,
    "key": _prefixed("sk- sk-proj- sk-ant-api03- sk-or-v1-", 40),
    "google": _prefixed("AIza", 35, ascii_letters + digits + "-_"),
    "aws": _prefixed("AKIA ASIA", 16, ascii_uppercase + digits),
    "github": _prefixed("ghp_ gho_", 36),
    "slack": lambda r: f"xoxb-{_word(r, digits, 12)}-{_word(r, ascii_letters + digits, 24)}",
    "hf": _prefixed("hf_", 34),
    "stripe": _prefixed("sk_live_ rk_live_", 24),
    "token": lambda r: _word(r, ascii_letters + digits + "+/", 40),
    "user_info": lambda r: f"{r.choice(LAST)}:{_word(r, ascii_letters + digits, 14)}",
}
"""How a value of each kind is drawn."""


@dataclass(frozen=True)
class Marked:
    """A text, and its values: kind and place."""

    text: str
    values: tuple[tuple[str, int, int], ...]


def corpus(seed: int = 1) -> Iterator[Marked]:
    """All texts, the same for the same seed."""
    random = Random(seed)
    for place in range(TEXTS):
        written = (WRITTEN[at % len(WRITTEN)] for at in (2 * place, 2 * place + 1 + place // 24))
        yield filled("\n".join(written).replace("\\n", "\n"), random)


def filled(template: str, random: Random) -> Marked:
    """A template with values for its marks."""
    text, values, at = "", [], 0
    while at < len(template):
        if template.startswith(("{{", "}}"), at):
            text, at = text + template[at], at + 2
        elif template[at] == "{":
            end = template.index("}", at)
            kind = template[at + 1 : end]
            if kind == "decoy":
                text += random.choice(DECOYS)(random)
            else:
                value = MAKERS[kind](random)
                values.append((kind, len(text), len(text) + len(value)))
                text += value
            at = end + 1
        else:
            text, at = text + template[at], at + 1
    return Marked(text, tuple(values))

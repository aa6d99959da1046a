"""The tokens that services issue: prefix, alphabet, length. Data, read by ``issued_tokens``.

NOTE: prefixes and lengths as they are generally known; not each row was compared with what its
issuer publishes today. A wrong row finds nothing, or takes a random string for a token.
"""

from __future__ import annotations

from typing import NamedTuple


class Issued(NamedTuple):
    """Tokens of one kind: a prefix and so many characters of an alphabet."""

    issuer: str
    prefix: bytes
    alphabet: bytes
    shortest: int
    """Fewest characters after the prefix."""
    longest: int
    """Most characters after the prefix."""


_DIGITS, _LOWER = b"0123456789", b"abcdefghijklmnopqrstuvwxyz"
_UPPER = _LOWER.upper()
ALPHABETS = {
    "x": _DIGITS + b"abcdef",
    "X": _DIGITS + b"abcdefABCDEF",
    "h": _DIGITS + b"abcdef-",
    "u": _DIGITS + _UPPER,
    "l": _DIGITS + _LOWER,
    "a": _DIGITS + _LOWER + _UPPER,
    "w": _DIGITS + _LOWER + _UPPER + b"_-",
    "d": _DIGITS + _LOWER + _UPPER + b"_-.",
}
"""Hexadecimal digits (X: either case; h: with hyphens), upper case, lower case, alphanumeric, with
``_`` and ``-``, and with dots; digits are in each."""

# Bytes: no sentence for people.
_TABLE = b"""
1Password|ops_eyJ|w|60-2000
Adafruit IO|aio_|a|28
Adobe|p8e-|a|32
age|AGE-SECRET-KEY-1|u|50-60
Airtable|patM|d|70-90
Aiven|AVNS_|w|19-30
Akamai|akab-|w|33
Alibaba Cloud|LTAI|a|12-26
Amazon Web Services|AKIA ASIA ABIA ACCA|u|16
Amazon Bedrock|ABSK|a|60-160
Amazon MWS|amzn.mws.|h|36
Amazon Login|amzn1.oa2-cs.v1.|x|64
Anthropic|sk-ant-|w|32-200
Anyscale|aph0_ esecret_|w|24-120
Apify|apify_api_|a|34-40
Artifactory|AKCp|a|60-80
Atlassian|ATATT3 ATCTT3 ATSTT3|w|60-300
Axiom|xaat- xapt-|h|36
Beamer|b_|w|44
Bitbucket|ATBB BBDC-|a|28-60
Brevo|xkeysib- xsmtpsib-|w|64-90
Brex|bxt_|a|30-80
Browserbase|bb_live_|w|20-60
Buildkite|bkua_ bkct_ bkaj_|a|40-64
Canva|cnvca|w|40-80
Cashfree|cfsk_ma_prod_ cfsk_ma_test_|w|32-80
Cerebras|csk-|a|40-60
Cfx.re|cfxk_|w|20-60
Chief Tools|ctp_ ctr_|a|36-50
Chroma|ck-|a|40-50
CircleCI|CCIPAT_ CCIPRJ_|w|40-90
ClickHouse Cloud|4b1d|a|38
Clojars|CLOJARS_|x|60
Cloudflare|v1.0-|h|150-180
Cloudflare user tokens|cfut_ cfat_ cfk_|w|40-60
CockroachDB|CCDB1_|w|22-80
Confluent|cflt|a|60
Contentful|CFPAT-|w|43
crates.io|cio|a|32
Cursor|crsr_ key_|x|64
Databento|db-|a|29
Databricks|dapi dose dkea|h|32-34
Datadog|ddapp_ ddpat_|a|30-60
dbt Cloud|dbtc_ dbts_ dbtu_|w|40-90
Defined Networking|dnkey-|w|26-80
Deno|ddp_ ddw_ ddo_|a|36-40
DevCycle|dvc_server_ dvc_client_|w|30-60
Dify|app- dataset-|a|24
DigitalOcean|dop_v1_ doo_v1_ dor_v1_|x|64
DigitalOcean Spaces|DO00|u|16
Docker|dckr_pat_ dckr_oat_|w|24-60
Doppler|dp.pt. dp.ct. dp.sa. dp.scim. dp.audit.|a|40-44
Doppler services|dp.st.|d|40-60
Dropbox|sl.|w|60-2000
Duffel|duffel_live_ duffel_test_|w|43
Dynatrace|dt0c01. dt0s01. dt0s16.|d|80-100
E2B|e2b_ sk_e2b_|x|40
EasyPost|EZAK EZTK|a|54
Elastic Cloud|essu_|a|40-200
ElevenLabs|sk_|x|48
Facebook|EAA|a|80-400
Figma|figd_ figoh_ figor_ figu_|w|38-80
Firecrawl|fc-|x|32
Fireworks AI|fw_|a|22-24
Flutterwave|FLWSECK_TEST- FLWSECK-|w|32-40
Fly.io|fo1_|w|43
Fly.io macaroons|fm1r_ fm1a_ fm2_|w|60-2000
Frame.io|fio-u-|w|64
FullStory|na1. eu1.|a|60-140
GitHub|ghp_ gho_ ghu_ ghs_ ghr_|a|36-255
GitHub, fine-grained|github_pat_|w|22-255
GitLab|glpat- gldt- glft- glsoat- glrt- glrtr- glptt- glagent- glcbt- glimt- glffct- glwt-|d|20-300
GitLab OAuth|gloas- GR1348941|w|20-64
GoCardless|live_ sandbox_|w|40
Google|AIza|w|35
Google OAuth|GOCSPX- ya29.|w|24-400
Google HMAC|GOOG1E|u|55-60
Grafana|glsa_|w|40-50
Grafana Cloud|glc_|a|32-400
Grafana keys|eyJrIjoi|a|60-400
Groq|gsk_|a|48-56
Harness|pat. sat.|d|66-70
HashiCorp Vault|hvs. hvb. hvr.|w|24-300
Helicone|sk-helicone-|w|24-80
Heroku|HRKU-|w|36-64
Honeycomb|hcaik_ hcbik_ hcxik_ hcamk_|a|50-70
Hop|ptk_|a|40-60
HubSpot|pat-na1- pat-na2- pat-eu1- pat-ap1-|h|36
Hugging Face|hf_ api_org_|a|30-40
Infracost|ico-|a|32
Inngest|signkey-prod- signkey-test- signkey-branch-|x|32-64
Instagram|IGQV IGAA|w|60-300
Intercom|dG9rO|a|40-80
Intra 42|s-s4t2ud- s-s4t2af-|x|64
Ionic|ion_|a|42
Iterative Studio|isat_|w|40-60
Jina AI|jina_|w|50-64
JumpCloud|jca_|a|36
Kaggle|KGAT_|x|32
Klaviyo|pk_|x|34
Langfuse|sk-lf- pk-lf-|h|36
LangSmith|lsv2_pt_ lsv2_sk_|w|40-50
LangSmith, old|ls__|x|32
LaunchDarkly|api- sdk-|h|36
Lichess|lip_ lio_|a|20-40
Linear|lin_api_ lin_oauth_|a|40-64
LlamaCloud|llx-|a|40-60
Lob|live_pub_ live_ test_|x|35
Logfire|pylf_v1_us_ pylf_v1_eu_ pylf_v2_us_ pylf_v2_eu_|w|40-60
Mailgun|key- pubkey-|x|32
Mandrill|md-|w|22
Mapbox|sk.eyJ tk.eyJ|d|40-300
Mercury|mercury_production_ mercury_sandbox_|w|30-120
Mergify|mka_|a|30-90
Midtrans|Mid-server-|w|24
Modal|ak- as-|a|22
Mollie|live_ test_|a|30
MongoDB Atlas|mdb_sa_sk_ mdb_sa_id_|w|20-60
Neon|napi_|l|60-70
Neptune|eyJhcGlfYWRkcmVzcyI6|a|60-400
Netlify|nfp_ nfc_ nfo_ nfu_ nfb_|a|36-44
New Relic|NRAK- NRII- NRIQ- NRAA- NRRA- NRSP-|w|27-42
Nightfall|NF-|w|32-36
Notion|ntn_|a|40-50
Notion (older)|secret_|a|40-44
npm|npm_|a|36
NuGet|oy2|l|43
NVIDIA|nvapi-|w|60-75
Octopus Deploy|API-|u|25-36
Onfido|api_live. api_sandbox. api_live_us. api_live_ca.|d|40-60
OpenAI|sk-proj- sk-svcacct- sk-admin- sk-None-|w|32-200
OpenRouter|sk-or-v1-|x|64
Open VSX|ovsxp_ ovsxat_|h|36
Packagist|packagist_ack_ packagist_uut_ packagist_ort_ packagist_act_ packagist_oht_|x|60-80
Paddle|pdl_live_apikey_ pdl_sdbx_apikey_|w|40-70
Pangea|pts_ pmt_ pit_|l|32
PayPal|A21AA|w|80-100
Perplexity|pplx-|a|40-60
Persona|persona_production_ persona_sandbox_|h|36
Pinecone|pcsk_|w|48-80
Pinterest|pina_ pinr_|a|60-90
Plaid|access-production- access-development- access-sandbox-|h|36
PlanetScale|pscale_tkn_ pscale_oauth_ pscale_pw_|w|32-64
Polar|polar_pat_ polar_oat_ polar_at_ polar_whs_|w|36-60
PostHog|phx_ phs_|a|40-56
Postman|PMAK-|h|55-70
Prefect|pnu_ pnb_|a|36
PubNub|sec-c-|w|40-60
Pulumi|pul-|x|40
PyPI|pypi-AgE|w|50-400
Ramp|ramp_sec_ ramp_tok_|a|40-64
Razorpay|rzp_live_ rzp_test_|a|14
ReadMe|rdme_|l|70
Render|rnd_|a|28-40
Replicate|r8_|a|37
Resend|re_|w|33-36
Rootly|rootly_|x|64
RubyGems|rubygems_|x|48
RunPod|rpa_|a|40-50
Runway|key_|x|128
SaladCloud|salad_cloud_user_ salad_cloud_team_|w|30-80
Salesforce|3MVG9|d|60-100
Samsara|samsara_api_|a|30
Scaleway|SCW|u|17
Scalingo|tk-us-|w|48
Segment|sgp_|a|64
SendGrid|SG.|d|33-97
Sentry|sntrys_eyJ|a|60-400
Sentry users|sntryu_ sntrya_ sntryi_|x|64
SettleMint|sm_aat_ sm_pat_ sm_sat_|a|16
Shippo|shippo_live_ shippo_test_|x|40
Shopify|shpat_ shpca_ shppa_ shpss_ shptka_|X|32
Slack|xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxc- xoxd- xoxe.xoxp- xapp-|w|20-255
Snyk|snyk_uat. snyk_sat.|d|40-120
SonarQube|sqp_ sqa_ squ_|x|40
Sourcegraph|sgp_|w|40-60
Sourcegraph licences|slk_|x|64
Square|sq0csp- sq0atp- sq0idp-|w|22-43
Square access|EAAA|w|60
StackHawk|hawk.|d|41
Statsig|secret- console-|a|40-50
Stripe|sk_live_ sk_test_ rk_live_ rk_test_ sk_prod_ rk_prod_|a|24-255
Stripe webhooks|whsec_|a|32-64
Supabase|sbp_|x|40
Supabase secret|sb_secret_|w|30-50
Tailscale|tskey-auth- tskey-api- tskey-client- tskey-scim- tskey-webhook-|w|30-60
Tavily|tvly- tvly-dev- tvly-prod-|a|32
Telnyx|KEY0|w|45-55
Tencent Cloud|AKID|a|32
Thunderstore|tss_|a|38-46
Together AI|tgp_v1_|w|40-50
Trello|ATTA|x|60-80
Trigger.dev|tr_dev_ tr_prod_ tr_stg_ tr_pat_|a|20-50
Twilio|SK|x|32
Typeform|tfp_|w|40-64
Ubidots|BBFF- BBUS-|a|30-40
Unkey|unkey_|w|20-50
Vercel|vcp_ vci_ vca_ vcr_ vck_|a|24-70
Vercel Blob|vercel_blob_rw_|w|40-60
Volcengine|AKLT|a|40-60
Voyage AI|pa-|w|43
WakaTime|waka_|w|36-90
Weights & Biases|wandb_v1_ wandb_v2_|w|20-255
Workato|wrkaus- wrkeu- wrkus- wrkjp-|d|60-900
xAI|xai-|a|70-90
Yandex Cloud|AQVN t1. y0_|w|35-200
Yandex Storage|YC|w|38
Zuplo|zpka_|w|32-60
"""


def _rows() -> tuple[Issued, ...]:
    """Return one row for each prefix of the table."""
    rows: list[Issued] = []
    for line in _TABLE.decode().strip().splitlines():
        issuer, prefixes, alphabet, lengths = line.split("|")
        shortest, _, longest = lengths.partition("-")
        rows.extend(
            Issued(
                issuer,
                prefix.encode(),
                ALPHABETS[alphabet],
                int(shortest),
                int(longest or shortest),
            )
            for prefix in prefixes.split()
        )
    return tuple(rows)


ISSUED = _rows()
"""All kinds, in the order of their issuers."""

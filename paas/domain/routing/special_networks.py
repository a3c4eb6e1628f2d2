"""Networks outside the internet: clouds' metadata services, and private networks."""

from ipaddress import IPv4Network, IPv6Network

# Where clouds serve a machine its own credentials.
METADATA_V4 = (
    IPv4Network("169.254.0.0/16"),  # AWS, Azure, Google, most others: the link-local network
    IPv4Network("168.63.129.16"),  # Azure
    IPv4Network("100.100.100.200"),  # Alibaba Cloud
    IPv4Network("192.0.0.192"),  # Oracle Cloud, formerly
)
METADATA_V6 = (
    IPv6Network("fd00:ec2::/32"),  # AWS
    IPv6Network("fd20:ce::254"),  # Google Cloud
    IPv6Network("fd00:c1::a9fe:a9fe"),  # Oracle Cloud
    IPv6Network("fd00:42::42"),  # Scaleway
)
# RFC 1918; RFC 6598.
PRIVATE_V4 = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("100.64.0.0/10"),
)

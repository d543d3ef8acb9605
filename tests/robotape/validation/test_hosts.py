"""A host's one spelling agrees with the standard library wherever that has a say."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotape.validation.hosts import canonical_host


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.lists(st.integers(0, 2), min_size=4))
def test_every_way_to_write_an_address_is_that_address(
    address: int, count: int, bases: list[int]
) -> None:
    rest = 256 ** (5 - count)
    numbers = [address // 256 ** (3 - place) % 256 for place in range(count - 1)] + [address % rest]
    forms = [
        ("{:d}", "0{:o}", "0x{:x}")[base].format(n) for n, base in zip(numbers, bases, strict=False)
    ]
    assert canonical_host(".".join(forms)) == str(ipaddress.IPv4Address(address))


@given(st.integers(0, 2**128 - 1))
def test_every_way_to_write_a_long_address_is_that_address(number: int) -> None:
    address = ipaddress.IPv6Address(number)
    expected = str(address.ipv4_mapped or address)
    for form in (str(address), address.exploded, f"[{address.exploded.upper()}]"):
        assert canonical_host(form) == expected


@given(st.text(max_size=300))
def test_whatever_comes_is_a_host_or_a_value_error(text: str) -> None:
    try:
        host = canonical_host(text)
    except ValueError as error:
        assert len(text) < 10 or text not in str(error)
    else:
        assert len(host) <= 253


def test_control_a_plain_name_stays() -> None:
    assert canonical_host("api.example.com") == "api.example.com"
    with pytest.raises(ValueError, match="not a host name"):
        canonical_host("api example.com")

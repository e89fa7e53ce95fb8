"""The hosts of a network, and which of them has an address.

Every agent computes the same routes, from the claims and cards that the bus keeps.

    card       what a host says of itself every ten seconds
    inventory  the hosts that say so, and what they are called
    routes     which host has an address: longest prefix first
    ownership  which of several claims to a prefix holds
    claims     claim one's own prefixes, and watch those of all hosts
"""

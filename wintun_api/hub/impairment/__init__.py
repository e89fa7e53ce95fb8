"""Make the network of a session bad, on request: delay, lose, change and limit its packets.

    parameters   what was asked for, as plain values
    match        which packets a rule concerns
    scenario     what a scenario does at a moment
    presets      networks that many people know
    player       play the scenarios of a plan when it is time
    accounts     counters of what it did
    chance       streams of chance that follow from a seed, and events
    loss         losses in bursts
    delay        the shapes of delays, and chains of them
    corruption   one inverted bit
    rate         when packets leave a link of a limited rate
    fate         all decisions for one packet
    marking      mark packets with what happens to them, for readers who want to know
    lane         one rule in one direction
    waiting      packets that are delayed, in the order in which they leave
    too_big      ICMP messages for the senders of packets that were too large
    direction    the way of the packets of one direction
    before       what was sent, for those who watch this side
    reports      events about what was lost, and about limits that are nearly reached
    impairment   the impairment of one session: both directions, and its plan

A session that is impaired hands each burst to `impairment`, which shows it to those who watch
`before` and asks `direction` for what leaves at once. `direction` finds the rule of each packet by
`match`, its lane decides, and what is delayed waits until an alarm of the hub rings.

A lane takes packets one by one. `fate` says what chance decides for each, `rate` when it leaves,
and `waiting` holds it until then.
"""

"""How people put what they look for: patterns with a place for each kind of word."""

from __future__ import annotations


def _split(lines: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in lines.replace("\n", "|").split("|") if each.strip())


PATTERNS = _split("""
    {a} lovers | {a} fans | {a} enthusiasts | {a} buyers | {a} shoppers | {a} people | {a} only | young {a} | my {a}
    people who like {a} | people who buy {a} | people who {v} {a} | people interested in {a} | {a} who {v} {b}
    someone who {v} {a} | someone with {a} and a {b} | a person who {v} {a} and {b} | who goes to {a}
    users who search for {a} | customers who want {a} | parents of {a} | families with {a} | likes {a} but not {b}
    looking for {a} | planning a {a} | ideas for {a} | things for {a} | everything for {a} | something {a} to {v}
    best {a} | more {a} | no {a} | not {a} | {a} at home | getting {a} ready for {b} | how to {v} {a} | {a} and {b}
    {a} or {b} | {a} with {b} | {a} without {b} | {a} for {b} | {a} for the {b} | {a} in {b} | {a} in the {b}
    {a} at {b} | {a} on {b} | {a} from {b} | {a} to {b} | {a} after {b} | {a} before the {b} | {a} by {b} | {a} as {b}
    the {a} of {b} | a {a} for a {b} | {a}, {b} and {c} | {v} and {a} {b} | {a} that {v} {b} | {v} their {a}
    they {v} the {a}

    {who} who {like} {a} | {who} who {like} {a} but not {b} | {who} who {like} {a} without {b} | {who} who never {v}
    {who} who always {v} {a} | {who} who {v} a lot | {who} who cannot {v} {a} | {who} with {a}
    {who} with a {how} {a} | {who} after {a} | {who} into {a} | {who} into {a} and {b} | {who} without {a}
    {who} living with {a} | {how} {who} | {how} {who} who {like} {a} | {who} moving to {a} | {who} on a {how} {a}
    {who} at {when} | {who} whose {a} is {how} | {who} {doing} {a} | {who} {doing} {a} for {when}
    {who} {doing} a {how} {a} | {who} {doing} their first {a} | {doing} {a} | {doing} {a} for {who}
    {doing} {a} with {who} | need {a} for {when} | where to {v} {a} | how {who} {v} {a} | {a} for {who}
    {how} {a} for {who} | {a} for {when} | {how} {a} for {when} | {a} that {who} love | {when} for {who} | {when} {a}
    {when} with {a} | {a} on {when} | {a} every {when} | {a} to {v} at {when} | {a} themed {when} | time for {a}
    gift for {who} who {like} {a} | gifts for {when} | present for a {how} {a} | fans of {a} | {a} addicts
    keen on {a} | {how} {a} | {how} {a} and {how} {b} | {how} {a} with {b} | a {how} {a} with {b} | not {how} {a}
    {a} but {how} | {a} but not {b} | {a} with no {b} | {a} instead of {b}
    everything about {a} | nothing but {a} | anything with {a} | anything but {a} | low {a} | high {a} | free {a}
    {a} free | cost of {a} | {a} made of {b} | {a} style {b} | {a} inspired by {b} | {a} set | a bit of {a}
""")

SLOTS = {
    "who": _split("""
        people | someone | anyone | a person | a man | a woman | a child | men | women | children | kids | babies
        teenagers | adults | parents | mothers | fathers | grandparents | families | couples | friends | singles
        students | workers | employees | professionals | beginners | collectors | players | readers | teams | hosts
        guests | visitors | travellers | locals | households | owners | pet owners | customers | users | shoppers
        buyers
    """),
    "like": _split("""
        like | love | hate | need | want | buy | avoid | prefer | enjoy | miss | use | make | collect | try | sell
        follow | choose | care about | look for | spend on | stock up on | are interested in | cannot live without
        likes | loves | needs | wants | buys | avoids | prefers | enjoys
    """),
    "doing": _split("""
        looking for | searching for | shopping for | buying | needing | wanting | planning | preparing | organising
        getting ready for | trying | making | setting up | learning | choosing | finding | collecting | enjoying
        giving | getting | avoiding | saving on | dealing with | interested in
    """),
    "when": _split("""
        morning | breakfast | lunch | dinner | evening | night | friday | sunday | weekend | spring | summer | autumn
        winter | christmas | new year | birthday | wedding | anniversary | baby shower | party | celebration
        family gathering | holiday | vacation | trip | rainy day | school | work | office | home | garden | outdoors
        the house | the car | the beach
    """),
    "how": _split("""
        cheap | expensive | luxury | fancy | simple | easy | quick | good | bad | best | extra | special | favorite
        daily | classic | traditional | modern | new | vintage | old | young | elderly | first | last | small | tiny
        large | big | heavy | light | strong | soft | hard | warm | hot | cold | dry | fresh | clean | safe | healthy
        natural | organic | homemade | sweet | wild | quiet | busy | sick | tired | happy | romantic | funny
        cute | red | blue | green | white | black | pink | dark | local | foreign | english | french
        italian | chinese | indian | mexican
    """),
}

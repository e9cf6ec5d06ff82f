import Testing
import WeirWire

@Suite("IP address")
struct IPAddressTests {
    @Test("Keeps the parts that it was made of")
    func parts() {
        let four = IPAddress(v4: 0xc000_0201)
        #expect(four.family == .v4 && four.isV4 && four.v4 == 0xc000_0201)
        #expect(four.high == 0 && four.low == 0xc000_0201 && four.scope == 0)
        let six = IPAddress(v6: 0x2001_0db8_0000_0001, low: 0x0002_0003_0004_0005, scope: 7)
        #expect(six.family == .v6 && !six.isV4 && six.v4 == 0x0004_0005)
        #expect(six.high == 0x2001_0db8_0000_0001 && six.low == 0x0002_0003_0004_0005 && six.scope == 7)
    }

    @Test("Has names for the loopback and for any address")
    func statics() {
        #expect(IPAddress.loopbackV4.description == "127.0.0.1")
        #expect(IPAddress.loopbackV6.description == "::1")
        #expect(IPAddress.anyV4.description == "0.0.0.0")
        #expect(IPAddress.anyV6.description == "::")
        #expect(IPAddress.anyV4 != IPAddress.anyV6)
    }

    struct Kinds: Sendable, CustomTestStringConvertible {
        var text: String
        var loopback = false
        var unspecified = false
        var linkLocal = false
        var mapped = false
        var testDescription: String { text }
    }

    @Test(
        "Knows the special ranges at their borders",
        arguments: [
            Kinds(text: "127.0.0.0", loopback: true), Kinds(text: "127.255.255.255", loopback: true),
            Kinds(text: "126.255.255.255"), Kinds(text: "128.0.0.0"),
            Kinds(text: "::1", loopback: true), Kinds(text: "::1%3", loopback: true), Kinds(text: "::2"),
            Kinds(text: "1::1"), Kinds(text: "::7f00:1"),
            Kinds(text: "0.0.0.0", unspecified: true), Kinds(text: "0.0.0.1"), Kinds(text: "::", unspecified: true),
            Kinds(text: "1::"),
            Kinds(text: "169.254.0.0", linkLocal: true), Kinds(text: "169.254.255.255", linkLocal: true),
            Kinds(text: "169.253.255.255"), Kinds(text: "169.255.0.0"),
            Kinds(text: "fe80::", linkLocal: true), Kinds(text: "febf:ffff::1%2", linkLocal: true),
            Kinds(text: "fe7f:ffff::"), Kinds(text: "fec0::"),
            Kinds(text: "::ffff:127.0.0.1", mapped: true), Kinds(text: "::fffe:7f00:1"), Kinds(text: "1::ffff:7f00:1"),
            Kinds(text: "::1:ffff:7f00:1"),
        ]
    )
    func ranges(kinds: Kinds) throws {
        let address = try #require(IPAddress(kinds.text))
        #expect(address.isLoopback == kinds.loopback)
        #expect(address.isUnspecified == kinds.unspecified)
        #expect(address.isLinkLocal == kinds.linkLocal)
        #expect(address.isV4Mapped == kinds.mapped)
    }

    @Test(
        "Unmaps an IPv4-mapped address and nothing else",
        arguments: zip(
            ["::ffff:10.1.2.3", "::ffff:10.1.2.3%4", "10.1.2.3", "::1%4"],
            ["10.1.2.3", "10.1.2.3", "10.1.2.3", "::1%4"]
        )
    )
    func unmaps(text: String, expected: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.unmapped.description == expected)
    }

    @Test("Sorts IPv4 first, then by number, then by zone")
    func order() throws {
        let sorted = ["0.0.0.0", "9.0.0.0", "10.0.0.0", "255.255.255.255", "::", "::1", "::1%2", "::2", "1::", "1::1"]
        let addresses = try sorted.map { try #require(IPAddress($0)) }
        for left in addresses.indices {
            for right in addresses.indices {
                #expect((addresses[left] < addresses[right]) == (left < right))
            }
        }
    }

    @Test("Tells apart what differs in the family or the zone only")
    func hashing() {
        let addresses = [
            IPAddress(v4: 1), IPAddress(v6: 0, low: 1), IPAddress(v6: 0, low: 1, scope: 1), IPAddress(v6: 1, low: 0),
        ]
        #expect(Set(addresses + addresses).count == 4)
        #expect(Set(addresses.map(\.hashValue)).count == 4)
    }
}

import Testing
import WeirEngine
import WeirWire

@Suite("A range of addresses")
struct ToxicMatchTests {
    @Test(
        "Holds the addresses with its first bits",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("0.0.0.0/0", "8.8.8.8", true),
            ("192.168.1.7", "192.168.1.7", true), ("192.168.1.7", "192.168.1.6", false),
            ("10.1.2.128/25", "10.1.2.127", false),
            ("fe80::/10", "fe80::1", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
            ("2001:db8::/64", "2001:db8::8000:0:0:1", true), ("2001:db8::/63", "2001:db8:0:1::1", true),
            ("2001:db8::/64", "2001:db8:0:1::1", false), ("2001:db8::/65", "2001:db8:0:1::1", false),
            ("2001:db8::/96", "2001:db8:1::1", false), ("2001:db8::/96", "2001:db8::1:0:1", false),
            ("::/0", "127.0.0.1", false), ("0.0.0.0/0", "::1", false),
        ]
    )
    func contains(range: String, address: String, expected: Bool) throws {
        let network = try #require(ToxicMatch.Network(range))
        #expect(network.contains(try #require(IPAddress(address))) == expected)
        #expect(ToxicMatch.Network(network.description) == network)
    }

    @Test("Is none", arguments: ["10.0.0.0/33", "::/129", "10.0.0/8", "/8", "10.0.0.0/", "10.0.0.0/-1"])
    func refuses(text: String) {
        #expect(ToxicMatch.Network(text) == nil)
    }
}

/// The relays that are measured.
enum Peers {
    static let weir = WeirPeer()
    static let haproxy = HAProxyPeer()
    static let nginx = NginxPeer()
    static let socat = SocatPeer()
    static let mitmdump = MitmdumpPeer()

    /// Every relay, in the order of the tables.
    static let all: [any Peer] = [weir, haproxy, nginx, socat, mitmdump]
}

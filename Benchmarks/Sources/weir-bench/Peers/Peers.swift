/// The relays that are measured.
enum Peers {
    static let weir = WeirPeer()
    static let haproxy = HAProxyPeer()
    static let nginx = NginxPeer()
    static let socat = SocatPeer()
    static let mitmdump = MitmdumpPeer()

    static let sslsplit = SSLSplitPeer()

    /// Every relay of plain flows, in the order of the tables.
    static let all: [any Peer] = [weir, haproxy, nginx, socat, mitmdump]
    /// Every relay that decrypts in between.
    static let securing: [any Peer] = [weir, nginx, haproxy, sslsplit, mitmdump]
    /// Every relay.
    static let known: [any Peer] = all + [sslsplit]
}

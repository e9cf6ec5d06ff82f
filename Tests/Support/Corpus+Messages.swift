// The captures of which tshark reads other messages than Weir.

extension Corpus {
    /// Why a capture's messages are others in tshark 4.0; there are no other reasons.
    package enum OtherMessages: String, Sendable {
        /// tshark asks the port first.
        case port = "tshark goes by the port where the bytes say what it is"
        /// tshark does not know something.
        case unknown =
            "tshark does not read this: a method, a request without a version, QUIC behind a retry or in pieces"
        /// A tunnel is not read.
        case tunnel = "Weir does not look into this tunnel"
        /// Bytes are missing.
        case gap = "tshark guesses behind bytes that are missing, or are no message"
    }

    /// The captures of which tshark reads other messages, each with its reason.
    package static let otherMessages: [String: OtherMessages] = [
        "tcpdump/dns_tcp_8053.pcap": .port,
        "zeek/http/get-to-ssh-server.pcap": .port,
        "zeek/http/http-single-conn-22.pcap": .port,
        "zeek/http/http-to-ssh.pcap": .port,
        "zeek/http/zeek-image-post-1080-8000-x.pcap": .port,
        "zeek/postgresql/http-on-port-5432.pcap": .port,
        "zeek/quic/chromium-dpd-custom-port-4433.pcap": .port,
        "zeek/quic/quicdoq.pcap": .port,
        "zeek/quic/quicv2-echo-dpd-custom-port-4433.pcap": .port,
        "zeek/rdp/rdp-to-ssl.pcap": .port,
        "zeek/tcp-http-with-padding.pcap": .port,
        "zeek/tls/https-to-http.pcap": .port,
        "zeek/tls/ssl-to-http-server.pcap": .port,
        "tcpdump/quic_retry.pcap": .unknown,
        "tcpdump/quic_vn.pcap": .unknown,
        "zeek/ppp/quic-interop-retry.pcap": .unknown,
        "zeek/quic/interop/quic-go_quic-go/retry.pcap": .unknown,
        "zeek/quic/quic-multiple-initial-fragmented-crypto.pcap": .unknown,
        "zeek/http/query-method.pcap": .unknown,
        "zeek/http/query-method-non-standard-port.pcap": .unknown,
        "zeek/http/methods.pcap": .unknown,
        "zeek/communityid/tcp.pcap": .gap,
        "zeek/dce-rpc/mapi.pcap": .gap,
        "zeek/http/261/variant-01-chunk_2pow64_overflow.pcap": .gap,
        "zeek/http/concurrent-range-requests.pcap": .gap,
        "zeek/http/content-range-gap-skip.pcap": .gap,
        "zeek/redis/oss-fuzz-473580107.pcap": .gap,
        "zeek/tunnels/ayiya3.pcap": .tunnel,
    ]
}

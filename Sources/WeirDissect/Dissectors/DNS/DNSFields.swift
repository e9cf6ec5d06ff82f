import WeirWire

/// The fields of DNS messages.
enum DNSFields {
    static let length = FieldName("dns.length", "The message's length in bytes, over TCP")
    static let id = FieldName("dns.id", "The number that an answer repeats")
    static let response = FieldName("dns.flags.response", "Whether it is an answer")
    static let opcode = FieldName("dns.flags.opcode", "The operation")
    static let authoritative = FieldName("dns.flags.authoritative", "Whether the server has authority for the name")
    static let truncated = FieldName("dns.flags.truncated", "Whether the answer is cut")
    static let responseCode = FieldName("dns.flags.rcode", "How the server fared", role: .code(errorFrom: 1))
    static let queryName = FieldName("dns.qry.name", "The name that is asked for", finding: .query)
    static let queryType = FieldName("dns.qry.type", "The type of record that is asked for")
    static let queryClass = FieldName("dns.qry.class", "The class that is asked for")
    static let name = FieldName("dns.resp.name", "The name that a record is of")
    static let type = FieldName("dns.resp.type", "A record's type")
    static let recordClass = FieldName("dns.resp.class", "A record's class")
    static let timeToLive = FieldName("dns.resp.ttl", "For how many seconds a record may be kept")
    static let dataLength = FieldName("dns.resp.len", "The length of a record's data in bytes")
    static let address4 = FieldName("dns.a", "An IPv4 address")
    static let address6 = FieldName("dns.aaaa", "An IPv6 address")
    static let nameServer = FieldName("dns.ns", "The name of a server")
    static let canonicalName = FieldName("dns.cname", "The name that a name stands for")
    static let pointer = FieldName("dns.ptr.domain_name", "The name of an address")
    static let exchange = FieldName("dns.mx.mail_exchange", "The host that takes mail")
    static let preference = FieldName("dns.mx.preference", "Which host takes mail first, the lowest")
    static let text = FieldName("dns.txt", "A text")
    static let primary = FieldName("dns.soa.mname", "The primary server of a zone")
    static let mailbox = FieldName("dns.soa.rname", "The mailbox of whoever answers for a zone")
    static let serial = FieldName("dns.soa.serial_number", "The version of a zone")
    static let priority = FieldName("dns.srv.priority", "Which host is tried first, the lowest")
    static let weight = FieldName("dns.srv.weight", "How often a host is chosen among its like")
    static let port = FieldName("dns.srv.port", "The port of a service")
    static let target = FieldName("dns.srv.target", "The host of a service")
    static let payloadSize = FieldName("dns.rr.udp_payload_size", "The most bytes that come over UDP (EDNS)")
    static let option = FieldName("dns.opt.code", "The code of an option (EDNS)")
    static let data = FieldName("dns.data", "The data of a record of another type, with its length in bytes")

    static let all = [
        id, response, opcode, authoritative, truncated, responseCode, queryName, queryType, queryClass, name, type,
        recordClass, timeToLive, dataLength, address4, address6, nameServer, canonicalName, pointer, exchange,
        preference, text, primary, mailbox, serial, priority, weight, port, target, payloadSize, option, data,
    ]

    /// Appends the name of a record type, or its number.
    ///
    /// Source: the IANA's registry of DNS parameters.
    static func append(type: UInt16, to text: inout MessageText) {
        guard let name = types[type] else {
            text.append("TYPE")
            return text.append(type)
        }
        text.append(name)
    }

    /// Appends the name of a response code.
    static func append(responseCode: UInt16, to text: inout MessageText) {
        let code = Int(responseCode)
        guard code < responseCodes.count else {
            text.append("rcode ")
            return text.append(code)
        }
        text.append(responseCodes[code])
    }

    static let types: [UInt16: StaticString] = [
        1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 10: "NULL", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 17: "RP",
        18: "AFSDB", 24: "SIG", 25: "KEY", 28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 36: "KX", 37: "CERT",
        39: "DNAME", 41: "OPT", 43: "DS", 44: "SSHFP", 45: "IPSECKEY", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY",
        49: "DHCID", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 55: "HIP", 59: "CDS", 60: "CDNSKEY", 61: "OPENPGPKEY",
        64: "SVCB", 65: "HTTPS", 99: "SPF", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY",
        256: "URI", 257: "CAA",
    ]

    private static let responseCodes: [StaticString] = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
        "NOTAUTH", "NOTZONE",
    ]
}

import Glibc
import WeirWire

/// The process's limit on descriptors, and its division among flows.
enum DescriptorLimit {
    /// Returns how many descriptors are reserved for listeners, outputs, resolvers and the like.
    ///
    /// - Parameters:
    ///   - descriptors: the number of descriptors that the process may have.
    ///   - configuration: the relay's configuration: each route and loop needs some.
    /// - Returns: 64, or fewer under a low limit, but at least what the routes and loops need.
    static func reserve(of descriptors: Int, for configuration: RelayConfiguration) -> Int {
        // A route on `*` has two addresses; over UDP each has a socket on each loop.
        let sockets = configuration.routes.reduce(0) { $0 + ($1.transport == .tcp ? 2 : 2 * configuration.threads) }
        let control = configuration.takesRoutes ? 400 : 0
        let least = 20 + sockets + 2 * configuration.threads + min(control, descriptors / 4)
        return max(least, min(64, descriptors / 8))
    }

    /// Raises the soft limit to the hard one, and returns it.
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return Int(before) }
        return Int(clamping: limit.rlim_cur)
    }

    /// Returns how many flows fit: a TCP flow needs two descriptors, a UDP session one.
    ///
    /// - Parameters:
    ///   - descriptors: the number of descriptors that the process may have.
    ///   - configuration: the relay's configuration.
    /// - Returns: the configured limits; if they do not fit, proportionally lower ones; 0 if not even one flow fits.
    static func share(_ descriptors: Int, for configuration: RelayConfiguration) -> Limits {
        let hasTCPNow = configuration.routes.contains { $0.transport == .tcp }
        let hasUDPNow = configuration.routes.contains { $0.transport == .udp }
        let (hasTCP, hasUDP) = (configuration.takesRoutes || hasTCPNow, configuration.takesRoutes || hasUDPNow)
        var wanted = Limits(tcpFlows: configuration.maxFlows, udpSessions: configuration.maxSessions)
        var cost: Int { (hasTCP ? 2 * wanted.tcpFlows : 0) + (hasUDP ? wanted.udpSessions : 0) }
        let room = descriptors - reserve(of: descriptors, for: configuration)
        guard room >= 3 else { return Limits(tcpFlows: 0, udpSessions: 0) }
        guard cost > room else { return wanted }
        // A transport that only later routes may have gets no larger share than the one that is there.
        if hasUDP, hasTCPNow, !hasUDPNow { wanted.udpSessions = min(wanted.udpSessions, 2 * wanted.tcpFlows) }
        if hasTCP, hasUDPNow, !hasTCPNow { wanted.tcpFlows = min(wanted.tcpFlows, max(1, wanted.udpSessions / 2)) }
        guard cost > room else { return wanted }
        return Limits(
            tcpFlows: hasTCP ? max(1, wanted.tcpFlows * room / cost) : wanted.tcpFlows,
            udpSessions: hasUDP ? max(1, wanted.udpSessions * room / cost) : wanted.udpSessions
        )
    }
}

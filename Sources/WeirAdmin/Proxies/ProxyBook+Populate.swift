import WeirRelay

/// The creation of the proxies of a list.
extension ProxyBook {
    /// The result of a list.
    struct Populated: Sendable {
        /// The proxies that exist now.
        var proxies: [Proxy] = []
        /// The error that stopped it, if there was one.
        var error: ToxiproxyError?
        /// The place in the list, from 1, of the proxy that could not be created.
        var place: Int?
    }

    /// An entry of the list.
    private struct Item: Sendable {
        var name: String
        var listen: String
        var upstream: String
        var isEnabled: Bool
    }

    /// Creates the proxies of a list, and replaces those that are different.
    ///
    /// All mistakes in the list are found before the first proxy is created: then nothing changes. If a proxy cannot
    /// listen, those before it exist, and one that it was to replace stays.
    func populate(_ body: [UInt8]) async -> Populated {
        do throws(ToxiproxyError) {
            let items = try Self.items(body)
            return await mutex.pass { await self.populate(items) }
        } catch {
            return Populated(error: error)
        }
    }

    private static func items(_ body: [UInt8]) throws(ToxiproxyError) -> [Item] {
        var items: [Item] = []
        for (index, input) in try ProxyInput.list(body).enumerated() {
            guard let name = try input.string("name"), !name.isEmpty else {
                throw .missing("name at proxy \(index + 1)")
            }
            guard let upstream = try input.string("upstream"), !upstream.isEmpty else {
                throw .missing("upstream at proxy \(index + 1)")
            }
            let (listen, isEnabled) = (try input.string("listen") ?? "", try input.bool("enabled") ?? true)
            items.append(Item(name: name, listen: listen, upstream: upstream, isEnabled: isEnabled))
        }
        return items
    }

    private func populate(_ items: [Item]) async -> Populated {
        var done = Populated()
        do {
            // An endpoint that cannot be read is reported when its turn comes, as with Toxiproxy.
            var routes: [(name: String, route: Route, isEnabled: Bool)] = []
            for (index, item) in items.enumerated() {
                done.place = index + 1
                _ = try Self.target(item.upstream)
                guard routes.count == index, let route = try? await route(from: item.listen, to: item.upstream) else {
                    continue
                }
                routes.append((item.name, route, item.isEnabled))
            }
            if let wrong = await relay.check(routes) {
                done.place = wrong.place + 1
                throw Self.refusal(wrong.error)
            }
            for (index, item) in items.enumerated() {
                done.place = index + 1
                done.proxies.append(try await make(item))
            }
            done.place = nil
        } catch {
            done.error = error as? ToxiproxyError ?? .other("\(error)")
        }
        return done
    }

    private func make(_ item: Item) async throws -> Proxy {
        guard let status = relay.route(named: item.name) else {
            return try await add(item.name, item.listen, item.upstream, item.isEnabled)
        }
        var wanted = try await wanted(status, item.listen, item.upstream)
        guard wanted.route != nil else { return describe(status) }
        wanted.isEnabled = item.isEnabled
        return try await change(status, wanted, replaces: true)
    }
}

/// An error in a file of proxies.
public struct ProxiesError: Error, Hashable, CustomStringConvertible {
    /// The error and its place, in one line.
    public var description: String
    /// Whether the text is wrong, or right but impossible to carry out now.
    public var isBadText: Bool

    /// Creates an error; for a wrong text it adds an example of a right one.
    init(_ reason: some StringProtocol, isBadText: Bool) {
        let example = #"[{"name":"db","listen":"127.0.0.1:9001","upstream":"127.0.0.1:5432"}]"#
        description = String(reason) + (isBadText ? "; a file of proxies is like \(example)" : "")
        self.isBadText = isBadText
    }
}

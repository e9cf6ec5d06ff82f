/// The operations of the API.
enum Routes {
    /// All routes.
    static let all: [AdminRoute] =
        ToxiproxyRoutes.all + V1Routes.all + EventRoutes.all + RecordingRoutes.all + HoldRoutes.all
    private static let byLength = Dictionary(grouping: all) { $0.parts.count }

    /// The result of a search for a request's route.
    enum Finding {
        case none
        case otherMethods([String])
        case route(AdminRoute, [String: String])
    }

    static func find(_ request: AdminRequest) -> Finding {
        var methods: [String] = []
        for route in byLength[request.path.count] ?? [] {
            guard let parameters = route.match(request.path) else { continue }
            let isHead = request.method == "HEAD" && route.method == "GET" && route.api == .weir
            if route.method == request.method || isHead { return .route(route, parameters) }
            if !methods.contains(route.method) { methods.append(route.method) }
            if route.method == "GET", route.api == .weir { methods.append("HEAD") }
        }
        return methods.isEmpty ? .none : .otherMethods(methods)
    }
}

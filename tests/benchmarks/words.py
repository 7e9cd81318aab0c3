"""List the Vietnamese words that names and titles of the generated register are built from."""

from __future__ import annotations

from typing import Final

#: the ten top fields; six aspects of each make the second level, four objects of each aspect the third
FIELDS: Final = (
    "Đất đai", "Xây dựng", "Giao thông", "Nông nghiệp", "Doanh nghiệp",
    "Khoáng sản", "Di sản", "Hộ tịch", "Giáo dục", "Thể thao",
)  # fmt: skip
FIELDS_EN: Final = (
    "Land", "Construction", "Transport", "Agriculture", "Enterprises",
    "Minerals", "Heritage", "Civil status", "Education", "Sport",
)  # fmt: skip
ASPECTS: Final = ("cấp phép", "đăng ký", "kiểm định", "quy hoạch", "thanh tra", "thống kê")
ASPECTS_EN: Final = ("permits", "registration", "inspection", "planning", "audit", "statistics")
OBJECTS: Final = ("cá nhân", "tổ chức", "công trình", "dịch vụ")
OBJECTS_EN: Final = ("persons", "organisations", "works", "services")

#: how a title opens, and how it ends
OPENINGS: Final = (
    "Cơ sở dữ liệu", "Danh sách", "Bản đồ số", "Sổ theo dõi", "Bộ chỉ tiêu", "Hồ sơ điện tử", "Báo cáo tổng hợp",
    "Kết quả khảo sát", "Hệ thống thông tin", "Dữ liệu mở", "Nhật ký vận hành", "Bảng giá",
)  # fmt: skip
THINGS: Final = (
    "hồ ao", "nhà ở xã hội", "trạm bơm", "giấy phép", "cây xanh đô thị", "chợ dân sinh", "trường mầm non",
    "tuyến xe buýt", "bến thủy", "hộ kinh doanh", "mỏ cát", "đình làng", "lễ hội", "thửa đất", "công chứng viên",
    "cấp nước sạch", "rác thải rắn", "hợp tác xã", "giống lúa", "sân vận động", "phòng khám", "đường tỉnh",
    "cầu treo", "khu công nghiệp", "làng nghề", "bãi đỗ xe", "đèn chiếu sáng", "thư viện", "đê điều", "rừng phòng hộ",
    "chăn nuôi gia cầm", "tàu cá", "quảng cáo ngoài trời", "giá thuê đất", "đấu giá tài sản", "chứng chỉ hành nghề",
    "thiết bị dạy học", "vận động viên", "di tích xếp hạng", "khí tượng thủy văn",
)  # fmt: skip
ENDINGS: Final = ("", " theo quý", " hằng năm", " giai đoạn 2021–2025", " cập nhật hằng tháng", " đã số hóa")

#: syllables of place names
FIRST: Final = (
    "An", "Bình", "Cẩm", "Đại", "Đông", "Đức", "Gia", "Hà", "Hải", "Hòa", "Hồng", "Hưng", "Kim", "Lạc", "Long", "Mỹ",
    "Nam", "Ngọc", "Phú", "Phước", "Quảng", "Quế", "Sơn", "Tam", "Tân", "Thạch", "Thanh", "Thiên", "Thuận", "Trà",
    "Trường", "Tuy", "Vạn", "Vân", "Vĩnh", "Xuân", "Yên",
)  # fmt: skip
SECOND: Final = (
    "Bắc", "Châu", "Điền", "Đình", "Đồng", "Dương", "Giang", "Hiệp", "Hội", "Khánh", "Khê", "Lâm", "Lập", "Lộc", "Lợi",
    "Minh", "Mai", "Nghĩa", "Ninh", "Phong", "Phúc", "Phương", "Quang", "Quý", "Tây", "Thành", "Thịnh", "Thọ", "Thượng",
    "Tiến", "Trì", "Trung", "Tường", "Viên", "Vinh", "Xá", "Ý",
)  # fmt: skip

#: what departments are named after; the last two of a province's departments merge on 2025-03-01
DEPARTMENTS: Final = (
    "Nội vụ", "Tư pháp", "Công Thương", "Y tế", "Văn hóa", "Du lịch", "Ngoại vụ", "Dân tộc", "Thanh tra", "Lao động",
    "Thông tin", "Khoa học", "Quy hoạch", "Tài nguyên", "Nông thôn",
)  # fmt: skip
BUREAUS: Final = (
    "Kế hoạch", "Pháp chế", "Tổ chức", "Công nghệ số", "Kiểm soát", "Thống kê", "Hợp tác", "Thẩm định", "Đăng kiểm",
    "Quản lý giá", "Lưu trữ", "Đào tạo", "Hạ tầng", "Giám định", "Cấp phép", "Đo đạc", "Phân tích", "Dự báo",
    "Tài vụ", "Điều tra", "Khuyến khích", "Tiêu chuẩn", "Truyền dẫn", "Bảo tồn",
)  # fmt: skip
OUTSIDE: Final = ("Viện Dữ liệu", "Công ty Hạ tầng số", "Hiệp hội Địa chính", "Trung tâm Tích hợp", "Quỹ Đổi mới")


def place(number: int) -> str:
    """Return the place name of that number: two syllables, then a third where the pairs are used up."""
    pairs = len(FIRST) * len(SECOND)
    turn, rest = divmod(number, pairs)
    # 7 shares no factor with the number of pairs, so neighbours in the list do not sound alike
    rest = rest * 7 % pairs
    name = f"{FIRST[rest // len(SECOND)]} {SECOND[rest % len(SECOND)]}"
    return f"{name} {FIRST[turn % len(FIRST)]}" if turn else name

"""What is drawn for the public set: most of it as described, some of it on purpose not.

`title` is what is written in the picture. Where it says another thing than the entry does, the
entry is one of those that must never be placed.
"""

from dataclasses import dataclass, field

from inference.library.image_entry import ImageEntry
from jobqueue.article import ImageKind


@dataclass(frozen=True, slots=True)
class Drawn:
    entry: ImageEntry
    scene: str
    title: str = ""
    near: tuple[str, ...] = field(default=())  # other names on a map


def _map(
    name: str,
    chinese: str,
    around: str,
    *near: str,
    title: str = "",
    caption: str = "",
    old: tuple[str, ...] = (),
    years: tuple[int, int] | None = None,
    period: str = "",
) -> Drawn:
    entry = ImageEntry(
        path=f"map-{name.lower().replace(' ', '-').translate(_PLAIN)}.png",
        caption=caption or f"Map of {name}",
        kind=ImageKind.MAP,
        place=f"{name}/{chinese}, {around}" if years else f"{name}, {around}",
        also=old if years else tuple(filter(None, (chinese, *old))),
        years=years,
        period=period,
    )
    return Drawn(entry, "map", title or f"Map of {name} {chinese}地图", near)


def _portrait(name: str, chinese: str, caption: str, title: str = "") -> Drawn:
    entry = ImageEntry(
        path=f"portrait-{name.lower().replace(' ', '-')}.png",
        caption=caption,
        kind=ImageKind.PORTRAIT,
        entities=(name,),
        also=(chinese,) if chinese else (),
    )
    return Drawn(entry, "portrait", title or f"{name} {chinese}".strip())


def _view(
    scene: str,
    caption: str,
    place: str = "",
    *names: str,
    title: str = "",
    tags: tuple[str, ...] = (),
    path: str = "",
) -> Drawn:
    called = path or "-".join((names[:1] or (caption,))[0].lower().translate(_PLAIN).split())
    entry = ImageEntry(
        path=f"{called}.png",
        caption=caption,
        kind=ImageKind.PHOTO,
        place=place,
        entities=names[:1],
        also=names[1:2],
        tags=tags,
    )
    return Drawn(entry, scene, title)


_PLAIN = str.maketrans({"'": "", "(": "", ")": "", ",": ""})

DRAWN = (
    _map("Luoyang", "洛阳", "Henan, China", "Zhengzhou 郑州", "Mengjin", "Yanshi"),
    _map("Kaifeng", "开封", "Henan, China", "Zhengzhou 郑州", "Lankao", old=("Bianjing",)),
    _map(
        "Zhengzhou",
        "郑州",
        "Henan, China",
        "Luoyang 洛阳",
        "Kaifeng 开封",
        caption="Map of Zhengzhou, on the road from Luoyang to Kaifeng",
        years=(2025, 2025),
    ),
    _map("Suzhou", "苏州", "Jiangsu, China", "Wuxi 无锡", "Kunshan"),
    _map("Quanzhou", "泉州", "Fujian, China", "Xiamen 厦门", "Luoyang Bridge"),
    _map(
        "Xi'an",
        "西安",
        "Shaanxi, China",
        "East Market",
        "West Market",
        title="Map of Chang'an 长安地图",
        caption="Map of Chang'an in the Tang dynasty, today's Xi'an",
        old=("Chang'an", "长安"),
        years=(618, 907),
        period="Tang/唐",
    ),
    _map("Florence", "佛罗伦萨", "Tuscany, Italy", "Fiesole", "Prato"),
    _map("Vienna", "维也纳", "Austria", "Klosterneuburg"),
    _map("Lyon", "里昂", "France", "Villeurbanne"),
    _map("Datong", "大同", "Shanxi, China", "Yungang"),
    _map("Ningbo", "宁波", "Zhejiang, China", "Cixi"),
    _map("Paris (Texas)", "", "Texas, United States", "Reno", title="Map of Paris, Texas"),
    # Mislabelled: what is written in them says so.
    _map("Nanjing", "南京", "Jiangsu, China", "Huzhou", title="Map of Hangzhou 杭州地图"),
    _map("Chengdu", "成都", "Sichuan, China", "Lankao", title="Kaifeng 开封"),
    _map("Dunhuang", "敦煌", "Gansu, China", "Turpan", title="Plan of Kashgar"),
    # A wrong caption: it was taken over from another line.
    Drawn(
        ImageEntry(
            path="map-tianjin.png",
            caption="Map of Beijing",
            kind=ImageKind.MAP,
            place="Tianjin, China",
            also=("天津",),
        ),
        "map",
        "Map of Tianjin 天津地图",
        ("Tanggu",),
    ),
    _portrait("Li Bai", "李白", "Portrait of the poet Li Bai"),
    _portrait("Du Fu", "杜甫", "Portrait of the poet Du Fu"),
    _portrait("Bai Juyi", "白居易", "Portrait of the poet Bai Juyi, who died in Luoyang"),
    _portrait("Empress Wu", "武则天", "Portrait of Empress Wu of Zhou"),
    _portrait("Zhang Heng", "张衡", "Portrait of the astronomer Zhang Heng"),
    _portrait("Dante", "但丁", "Portrait of the poet Dante in a red cap"),
    _portrait("Mozart", "莫扎特", "Portrait of the young Mozart"),
    _portrait("Xuanzang", "玄奘", "Portrait of the monk Xuanzang"),
    _portrait("Wang Wei", "王维", "Portrait of the poet Wang Wei", title="Du Fu 杜甫"),
    _portrait("Su Zhe", "苏辙", "Portrait of Su Zhe, brother of Su Shi"),
    _view(
        "temple",
        "The White Horse Temple near Luoyang",
        "Luoyang/洛阳, Henan, China",
        "White Horse Temple",
        "白马寺",
    ),
    _view(
        "caves",
        "The Longmen Grottoes above the Yi river",
        "Luoyang/洛阳, Henan, China",
        "Longmen Grottoes",
        "龙门石窟",
    ),
    _view(
        "garden",
        "Peonies in bloom in a park of Luoyang",
        "Luoyang/洛阳, Henan, China",
        tags=("peony", "牡丹", "flowers"),
        path="luoyang-peonies",
    ),
    _view(
        "pagoda",
        "The Iron Pagoda in Kaifeng",
        "Kaifeng/开封, Henan, China",
        "Iron Pagoda",
        "铁塔",
    ),
    _view("tower", "Erqi Tower, Zhengzhou", "Zhengzhou/郑州, Henan, China", "Erqi Tower", "二七塔"),
    _view(
        "pagoda",
        "The Giant Wild Goose Pagoda in Xi'an",
        "Xi'an/西安, Shaanxi, China",
        "Giant Wild Goose Pagoda",
        "大雁塔",
    ),
    _view(
        "bridge",
        "Luoyang Bridge, a stone bridge over the sea",
        "Quanzhou/泉州, Fujian, China",
        "Luoyang Bridge",
        "洛阳桥",
    ),
    _view(
        "garden",
        "The Humble Administrator's Garden in Suzhou",
        "Suzhou/苏州, Jiangsu, China",
        "Humble Administrator's Garden",
        "拙政园",
    ),
    _view("lake", "West Lake at dawn", "Hangzhou/杭州, Zhejiang, China", "West Lake", "西湖"),
    _view(
        "bridge",
        "The Ponte Vecchio over the Arno",
        "Florence/佛罗伦萨, Tuscany, Italy",
        "Ponte Vecchio",
        "老桥",
    ),
    _view(
        "tower",
        "St Stephen's Cathedral, Vienna",
        "Vienna/维也纳, Austria",
        "St Stephen's Cathedral",
        "圣斯德望主教座堂",
    ),
    _view(
        "tower",
        "Yueyang Tower on Dongting Lake",
        "Yueyang, Hunan, China",
        "Yueyang Tower",
        "岳阳楼",
        title="岳阳楼 Yueyang Tower",
    ),
    _view(
        "tower",
        "The Yellow Crane Tower in Wuhan",
        "Wuhan/武汉, Hubei, China",
        "Yellow Crane Tower",
        "黄鹤楼",
        title="岳阳楼 Yueyang Tower",
    ),
    _view(
        "market",
        "The night market of Kaifeng",
        "Kaifeng/开封, Henan, China",
        tags=("夜市", "street food"),
        path="kaifeng-market",
    ),
    _view("lake", "A mountain lake at sunset", tags=("湖", "日落", "water"), path="mountain-lake"),
    _view(
        "field",
        "Rice fields in terraces",
        tags=("梯田", "稻田", "agriculture"),
        path="rice-terraces",
    ),
    _view("noodles", "A bowl of noodles with soup", tags=("面条", "汤面", "food"), path="noodles"),
    _view(
        "train",
        "A steam locomotive in the snow",
        tags=("蒸汽机车", "火车", "railway"),
        path="steam-train",
    ),
    _view(
        "kiln",
        "A potter shapes a bowl at the wheel",
        tags=("陶工", "制陶", "ceramics"),
        path="potter",
    ),
    _view(
        "loom", "Silk is woven on a hand loom", tags=("丝绸", "织布", "textile"), path="silk-loom"
    ),
)
